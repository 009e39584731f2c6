import { z } from 'zod';
import type { ToolErrorKind } from '../kit/errors.js';

const refusal = z.object({
  message: z.string().catch(''),
  errors: z.array(z.object({ reason: z.string().catch('') })).catch([]),
});

/** What Fleet says when it takes no order, by its words (`ee/server/service/hosts.go`), and what kind of error each is. */
const REFUSALS: readonly { says: RegExp; code: string; kind: ToolErrorKind }[] = [
  { says: /premium license|missing or invalid license/i, code: 'it needs Fleet Premium', kind: 'unsupported' },
  { says: /pending (lock|unlock|wipe) request/, code: 'another order is pending', kind: 'conflict' },
  { says: /is (already )?(locked|unlocked|wiped)/, code: 'it is locked, unlocked or wiped already', kind: 'conflict' },
  { says: /MDM turned on|MDM isn't turned on/, code: 'the MDM of the host is off', kind: 'unsupported' },
  { says: /--enable-scripts/, code: 'fleetd runs no scripts there', kind: 'unsupported' },
];

/** A word of ours for what Fleet answered; undefined where its status says it all. Its own text is never shown. */
export function codeOfRefusal(body: unknown): string | undefined {
  const { data } = refusal.safeParse(body);
  const said = [data?.message, ...(data?.errors ?? []).map(({ reason }) => reason)].join('\n');
  return REFUSALS.find(({ says }) => says.test(said))?.code;
}

export const KIND_OF_REFUSAL: Readonly<Record<string, ToolErrorKind>> = Object.fromEntries(
  REFUSALS.map(({ code, kind }) => [code, kind]),
);
