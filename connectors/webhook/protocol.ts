import { z } from 'zod';
import type { Capability } from '../kit/contract.js';

/**
 * The protocol of README.md, version 1, as shapes: strict where the tool speaks, so that a field with a typing mistake
 * is an error and never a value that is silently missing.
 */
export const PROTOCOL_VERSION = 1;

/** Every type of request, with the capability that it is for. */
export const REQUEST_TYPES = {
  check: 'check',
  'accounts.list': 'listAccounts',
  'accounts.find': 'findAccounts',
  'account.get': 'getAccount',
  'account.create': 'createAccount',
  'account.suspend': 'suspendAccount',
  'account.restore': 'restoreAccount',
  'account.remove': 'removeAccount',
  'account.reset-credentials': 'resetCredentials',
  'account.revoke-access': 'revokeAccess',
  'account.revoke-device': 'revokeDevice',
  'grant.give': 'grant',
  'grant.withdraw': 'withdraw',
} as const satisfies Record<string, Capability>;

export type RequestType = keyof typeof REQUEST_TYPES;

/** Words in the tool's own language that people get to read: one line, short. */
const words = z
  .string()
  .max(300)
  .regex(/^\P{Cc}*$/u);
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const id = z.string().min(1).max(500);

const liveThings = z.discriminatedUnion('seen', [
  z.strictObject({ seen: z.literal(true), live: z.int().nonnegative() }),
  z.strictObject({ seen: z.literal(false), residualUntil: instant.nullable(), because: words }),
]);

const grantShape = z.strictObject({ kind: z.enum(['group', 'role', 'licence']), name: z.string() });

export const accountShape = z.strictObject({
  id,
  username: z.string(),
  mark: z.string().nullable(),
  email: z.string().nullable(),
  state: z.enum(['active', 'suspended']),
  sessions: liveThings,
  credentials: liveThings,
  credentialVersion: z.string().nullable(),
  grants: z.array(grantShape).optional(),
});
export type ToldAccount = z.infer<typeof accountShape>;

export const checkAnswer = z.strictObject({
  principal: z.strictObject({ id, username: z.string() }),
  version: words.nullable(),
  implements: z.array(z.string()).describe('Types of requests; unknown ones are a later version’s and ignored'),
  missing: z
    .array(
      z.strictObject({ type: z.enum(Object.keys(REQUEST_TYPES) as [RequestType]), permission: words, remedy: words }),
    )
    .default([]),
});

export const listAnswer = z.strictObject({
  accounts: z.array(accountShape),
  next: z.string().min(1).max(2000).nullable(),
  complete: z.boolean(),
});

export const findAnswer = z.strictObject({ accounts: z.array(accountShape) });

export const getAnswer = z.strictObject({ account: accountShape.extend({ grants: z.array(grantShape) }).nullable() });

/** The tool's own name for work that goes on after its answer. */
export const handle = z.string().min(1).max(200);
const sideEffects = z.array(words).default([]);

/** The answer to an act. With `done` and `already` come the further fields that the act's own shape asks for. */
function actAnswer<T extends z.ZodRawShape>(value: T) {
  return z.discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.enum(['done', 'already']), sideEffects, ...value }),
    z.strictObject({ outcome: z.literal('in-progress'), sideEffects, handle }),
    z.strictObject({ outcome: z.literal('action-required'), sideEffects, instructions: z.string().min(1).max(2000) }),
  ]);
}

export const plainAnswer = actAnswer({});
export const createAnswer = actAnswer({ account: accountShape });
export const resetAnswer = actAnswer({ credentialVersion: z.string().nullable() });

/** What the tool may say went wrong. The other kinds of the contract show outside a signed answer. */
const toldError = z.strictObject({
  kind: z.enum(['transient', 'rate-limited', 'forbidden', 'not-found', 'conflict', 'invalid', 'unsupported']),
  message: words,
  remedy: words.optional(),
  permission: words.optional(),
  resetAt: instant.optional(),
});

export const answerShape = z.union([
  z.strictObject({ version: z.literal(PROTOCOL_VERSION), answer: z.unknown() }),
  z.strictObject({ version: z.literal(PROTOCOL_VERSION), error: toldError }),
]);
