import { z } from 'zod';
import type { KnownReturn } from './return-records.service.js';
import { CONDITIONS, RETURN_STATES, WIPED } from './return-states.js';

const Instant = z.iso.datetime();
const WORDS = z.string().trim().min(1).max(2_000);

export const ReturnView = z.object({
  id: z.uuid(),
  deviceId: z.uuid(),
  assetTag: z.string(),
  personId: z.uuid().describe('Who has to give it back.'),
  caseId: z.uuid().nullable().describe('The leave that it is asked for in.'),
  state: z.enum(RETURN_STATES),
  outstanding: z.boolean().describe('True: the device still counts as theirs.'),
  askedBy: z.string(),
  askedAt: Instant,
  siteId: z.uuid().nullable().describe('Where it is to go.'),
  tracking: z.string().nullable(),
  sentAt: Instant.nullable(),
  receivedAt: Instant.nullable(),
  receivedBy: z.string().nullable(),
  receivedSiteId: z.uuid().nullable(),
  inspectedAt: Instant.nullable(),
  inspectedBy: z.string().nullable(),
  condition: z.enum(CONDITIONS).nullable(),
  wiped: z.enum(WIPED).nullable(),
  accessories: z.string().nullable(),
  findings: z.string().nullable(),
  writtenOffAt: Instant.nullable(),
  writtenOffBy: z.string().nullable(),
  reason: z.string().nullable().describe('Why it was written off.'),
});

export const AskReturn = z.strictObject({
  deviceId: z.uuid(),
  siteId: z.uuid().nullable().default(null).describe('Where it is to go; left out: where the device belongs.'),
});

export const SendReturn = z.strictObject({
  tracking: z.string().trim().min(1).max(200).nullable().default(null).describe('The carrier’s number.'),
});

export const ReceiveReturn = z.strictObject({ siteId: z.uuid().describe('Where it is now.') });

export const InspectReturn = z.strictObject({
  condition: z.enum(['good', 'worn', 'faulty']),
  wiped: z.enum(WIPED).describe('Whether nothing of the person’s is on it any more.'),
  accessories: WORDS.nullable().default(null).describe('What came with it, and what is missing.'),
  findings: WORDS.nullable().default(null),
});

export const WriteOffReturn = z.strictObject({ reason: z.string().trim().min(3).max(2_000) });

export function returnView(row: KnownReturn): z.infer<typeof ReturnView> {
  const { id, deviceId, assetTag, personId, caseId, state, askedBy, siteId, tracking, receivedBy } = row;
  const { receivedSiteId, inspectedBy, condition, wiped, accessories, findings, writtenOffBy, reason } = row;
  return {
    id,
    deviceId,
    assetTag,
    personId,
    caseId,
    state,
    outstanding: state !== 'inspected' && state !== 'written_off',
    askedBy,
    askedAt: row.askedAt.toISOString(),
    siteId,
    tracking,
    sentAt: iso(row.sentAt),
    receivedAt: iso(row.receivedAt),
    receivedBy,
    receivedSiteId,
    inspectedAt: iso(row.inspectedAt),
    inspectedBy,
    condition,
    wiped,
    accessories,
    findings,
    writtenOffAt: iso(row.writtenOffAt),
    writtenOffBy,
    reason,
  };
}

function iso(instant: Date | null): string | null {
  return instant?.toISOString() ?? null;
}
