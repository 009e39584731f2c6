import { z } from 'zod';
import { userPrincipal } from '../principals.js';
import type { SecurityKey } from './security-key.entity.js';
import type { HeldKey } from './security-keys.service.js';

export const KeyName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'has to be one line')
  .describe('What you call it: “blue one on the key ring”.');

export const SecurityKeyView = z.object({
  id: z.uuid(),
  name: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
  copiedAt: z.iso
    .datetime()
    .nullable()
    .describe('When it counted backwards: there is a copy of it, and neither is taken any more.'),
});

export const HeldKeyView = SecurityKeyView.extend({
  principal: z.string().describe('Whose it is, as in `user:<id>`.'),
  holder: z.string(),
});

export function securityKeyView(key: SecurityKey): z.infer<typeof SecurityKeyView> {
  const { id, name, createdAt, lastUsedAt, copiedAt } = key;
  return {
    id,
    name,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    copiedAt: copiedAt?.toISOString() ?? null,
  };
}

export function heldKeyView({ key, holder }: HeldKey): z.infer<typeof HeldKeyView> {
  return { ...securityKeyView(key), principal: userPrincipal(key.identityId), holder };
}
