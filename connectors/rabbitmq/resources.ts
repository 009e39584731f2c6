import { z } from 'zod';

/** Parts of the management API's answers that are used (RabbitMQ’s `rabbitmq_management` API reference, 3.10 to 4.1). */
export const whoami = z.object({ name: z.string(), tags: z.union([z.array(z.string()), z.string()]) });

/** Up to 3.8 tags were one text with commas. */
const tags = z
  .union([z.array(z.string()), z.string()])
  .transform((value) => (typeof value === 'string' ? value.split(',').filter(Boolean) : value));

export const rabbitUser = z.object({
  name: z.string(),
  password_hash: z.string(),
  hashing_algorithm: z.string(),
  tags,
  // An empty map is written as an empty list by some versions.
  limits: z
    .union([z.record(z.string(), z.number()), z.array(z.never()).transform((): Record<string, number> => ({}))])
    .default({}),
});

export type RabbitUser = z.infer<typeof rabbitUser>;

export const permission = z.object({
  vhost: z.string(),
  configure: z.string(),
  write: z.string(),
  read: z.string(),
});

export type Permission = z.infer<typeof permission>;

export const connection = z.object({ name: z.string() });

export const overview = z.object({ rabbitmq_version: z.string() });

/** What of an error answer is shown: the API's own word for it. */
export function rabbitErrorCode(body: unknown): string | undefined {
  const { data } = z.object({ error: z.string() }).safeParse(body);
  return data && /^[A-Za-z_ ]{1,40}$/.test(data.error) ? data.error : undefined;
}
