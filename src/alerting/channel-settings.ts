import { z } from 'zod';
import type { ChannelKind } from './alert-channel.entity.js';

const Private = z
  .boolean()
  .default(false)
  .describe('Allow plain http and addresses inside our own network: for a relay of our own, and for tests.');

const PagerDutySettings = z.strictObject({
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .default('https://events.pagerduty.com')
    .describe('In the EU region: https://events.eu.pagerduty.com'),
  allowPrivateAddresses: Private,
});

const SlackSettings = z.strictObject({ allowPrivateAddresses: Private });

const Address = z.email().max(320);

const SmtpSettings = z
  .strictObject({
    host: z.string().min(1).max(253),
    port: z.int().min(1).max(65_535).default(587),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe(
        '`starttls` refuses to go on without TLS; `implicit` is port 465; `none` is for a relay on this machine.',
      ),
    user: z.string().min(1).max(320).optional(),
    from: Address,
    to: z.array(Address).min(1).max(20),
  })
  .refine(({ tls, user }) => tls !== 'none' || user === undefined, {
    error: 'A password is not sent without TLS.',
    path: ['tls'],
  });

export type PagerDutySettings = z.infer<typeof PagerDutySettings>;
export type SlackSettings = z.infer<typeof SlackSettings>;
export type SmtpSettings = z.infer<typeof SmtpSettings>;

const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'write lower-case letters, digits and hyphens')
  .describe('As in `oncall-pagerduty`.');

/** A new channel. Its secret is sealed, and never shown again. */
export const NewChannel = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pagerduty'),
    name: Name,
    settings: PagerDutySettings.prefault({}),
    secret: z
      .string()
      .regex(/^[A-Za-z0-9]{32}$/, 'a routing key has 32 letters and digits')
      .describe('The routing key (“integration key”) of an Events API v2 integration.'),
  }),
  z.strictObject({
    kind: z.literal('slack'),
    name: Name,
    settings: SlackSettings.prefault({}),
    secret: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .describe("The incoming webhook's whole address: whoever knows it may post."),
  }),
  z.strictObject({
    kind: z.literal('smtp'),
    name: Name,
    settings: SmtpSettings,
    secret: z.string().min(1).max(1_000).optional().describe('The password, where there is a user.'),
  }),
]);
export type NewChannel = z.infer<typeof NewChannel>;

interface ChannelOf<Kind extends ChannelKind, Settings> {
  id: string;
  name: string;
  kind: Kind;
  settings: Settings;
  secret: string;
}

/** A channel with its secret opened: held in memory for a call, or for the hour when the database is away. */
export type OpenChannel =
  ChannelOf<'pagerduty', PagerDutySettings> | ChannelOf<'slack', SlackSettings> | ChannelOf<'smtp', SmtpSettings>;

/** Stored settings, parsed again: what an older version wrote may lack something. */
export function openChannel(
  { id, name, kind, settings }: { id: string; name: string; kind: ChannelKind; settings: unknown },
  secret: string,
): OpenChannel {
  switch (kind) {
    case 'pagerduty':
      return { id, name, kind, settings: PagerDutySettings.parse(settings), secret };
    case 'slack':
      return { id, name, kind, settings: SlackSettings.parse(settings), secret };
    case 'smtp':
      return { id, name, kind, settings: SmtpSettings.parse(settings), secret };
  }
}
