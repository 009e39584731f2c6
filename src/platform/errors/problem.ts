/**
 * The errors a caller may see, as kinds; one filter turns them into `application/problem+json` (RFC 9457).
 * The `type` of the answer is `/problems/<kind>`, stable for good.
 */
export const PROBLEMS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Who you are is not known' },
  'invalid-signature': { status: 401, title: 'The signature does not match' },
  forbidden: { status: 403, title: 'This is not allowed for you' },
  'step-up-required': { status: 403, title: 'Show again that it is you' },
  'key-refused': { status: 403, title: 'The security key was not accepted' },
  'not-found': { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'It is not possible in this state' },
  'request-in-flight': { status: 409, title: 'The same request is still being worked on' },
  gone: { status: 410, title: 'It is used up or expired' },
  'precondition-failed': { status: 412, title: 'It was changed by somebody else in the meantime' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is of another kind than is taken here' },
  'range-not-satisfiable': { status: 416, title: 'There is nothing in this range' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key belongs to another request' },
  'precondition-required': { status: 428, title: 'Say which version you want to change' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'tool-failed': { status: 502, title: 'The tool could not do it' },
  'not-set-up': { status: 503, title: 'The service is not set up yet' },
  'provider-away': { status: 503, title: 'The OpenID provider can not be reached' },
  'keys-away': { status: 503, title: 'The key that seals secrets can not be reached' },
  unavailable: { status: 503, title: 'The database can not be reached' },
  'store-failed': { status: 503, title: 'The store of images can not do it' },
  'no-room': { status: 507, title: 'There is no room left' },
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

export interface FieldProblem {
  /** Where in the request, as a JSON pointer (RFC 6901). */
  pointer: string;
  detail: string;
}

export class Problem extends Error {
  override readonly name = 'Problem';

  readonly fields: readonly FieldProblem[];
  /** Extension members of the answer (RFC 9457, section 3.2). */
  readonly members: Readonly<Record<string, string>>;

  /**
   * @param detail What is wrong and what to do about it, in a sentence or two.
   * @param more The fields that are wrong; or extension members, and what it came of, which nobody is told
   */
  constructor(
    readonly kind: ProblemKind,
    detail: string,
    more: readonly FieldProblem[] | { members?: Readonly<Record<string, string>>; cause?: unknown } = [],
  ) {
    const { members = {}, cause } = 'length' in more ? {} : more;
    super(detail, cause === undefined ? undefined : { cause });
    this.fields = 'length' in more ? more : [];
    this.members = members;
  }
}
