/**
 * What went wrong at a tool. The kind is closed, and each kind has exactly one next step, so the engine never has to
 * read a provider's text to decide what to do.
 *
 * | kind | the engine's next step |
 * | --- | --- |
 * | `transient` | try again with backoff |
 * | `rate-limited` | wait until `resetAt`, for this tool only |
 * | `auth-broken` | pause the tool, alert its owner, keep its steps |
 * | `forbidden` | a human task that names the missing permission |
 * | `not-found` | success for a removal where the look-up can be trusted, otherwise look again |
 * | `conflict` | read back: somebody else's change, or our own earlier one |
 * | `invalid` | a human task: the same request would fail again |
 * | `unsupported` | a human task: the tool can't do this through its API |
 * | `ambiguous` | read back before anything else: the call may have been executed |
 */
export const TOOL_ERROR_KINDS = [
  'transient',
  'rate-limited',
  'auth-broken',
  'forbidden',
  'not-found',
  'conflict',
  'invalid',
  'unsupported',
  'ambiguous',
] as const;

export type ToolErrorKind = (typeof TOOL_ERROR_KINDS)[number];

export interface ToolErrorDetails {
  /** `rate-limited`: when the tool will take calls again. */
  resetAt?: Date;
  /** `forbidden`: the permission that is missing, in the tool's own words. */
  permission?: string;
  /** What a person can do about it, in one sentence. */
  remedy?: string;
  cause?: unknown;
}

/** The only error a connector lets out. Its message never holds a secret or a provider's raw body. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly resetAt: Date | undefined;
  readonly permission: string | undefined;
  readonly remedy: string | undefined;

  constructor(
    readonly kind: ToolErrorKind,
    message: string,
    details: ToolErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.resetAt = details.resetAt;
    this.permission = details.permission;
    this.remedy = details.remedy;
  }
}
