import { z } from 'zod';
import { CHANNEL_KINDS, type AlertChannel } from './alert-channel.entity.js';
import { DELIVERY_STATES } from './alert-delivery.entity.js';
import type { EscalationContact } from './escalation-contact.entity.js';

export const ChannelView = z.object({
  id: z.uuid(),
  name: z.string(),
  kind: z.enum(CHANNEL_KINDS),
  settings: z.record(z.string(), z.unknown()).describe('Without the secret, which is never shown.'),
  createdAt: z.iso.datetime(),
});

export function channelView({ id, name, kind, settings, createdAt }: AlertChannel): z.infer<typeof ChannelView> {
  return { id, name, kind, settings, createdAt: createdAt.toISOString() };
}

export const ChannelTestView = z.object({
  outcome: z
    .enum(['sent', 'refused', 'failed'])
    .describe('`refused`: the provider will never take it. `failed`: it may work later.'),
  why: z.string().nullable(),
});

const ContactFields = {
  name: z.string().trim().min(1).max(200),
  channelIds: z.array(z.uuid()).min(1).max(10).describe('The first that works is used.'),
  waitSeconds: z
    .int()
    .min(60)
    .max(24 * 3_600)
    .describe('How long a critical alert or an error may stay open before the next on the list is told.'),
};

export const EscalationList = z.strictObject({
  contacts: z.array(z.strictObject(ContactFields)).max(10).describe('In the order in which they are told.'),
});

export const EscalationView = z.object({
  contacts: z.array(z.object({ level: z.int(), ...ContactFields })),
});

export function escalationView(contacts: readonly EscalationContact[]): z.infer<typeof EscalationView> {
  return {
    contacts: contacts.map(({ level, name, channelIds, waitSeconds }) => ({ level, name, channelIds, waitSeconds })),
  };
}

export const DeliveryView = z.object({
  channel: z.string(),
  action: z.enum(['trigger', 'resolve']),
  level: z.int().describe('The place on the escalation list, from 1.'),
  state: z.enum(DELIVERY_STATES),
  note: z.string().nullable(),
  attempts: z.int(),
  failure: z.string().nullable(),
  createdAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
});
