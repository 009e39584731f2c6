/** A problem document (RFC 9457), as the API answers each error. */
interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  stepUpBy?: string;
  stepUpUrl?: string;
  errors?: { pointer: string; detail: string }[];
}

/** How to show again who one is. */
export interface StepUp {
  isByKey: boolean;
  /** Where, without a key. */
  url: string;
}

/** Something that the API refused or could not do, or that never reached it. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    /** As in `forbidden`; `no-answer` when nothing came back at all. */
    readonly kind: string,
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** To quote when asking about it. */
    readonly requestId: string | null,
    readonly stepUp: StepUp | null = null,
    readonly fields: readonly { pointer: string; detail: string }[] = [],
  ) {
    super(`${title} ${detail}`);
  }
}

/** What was wrong with this field of what was sent, if that was told. @param pointer as in `/url` */
export function wrongField(problem: unknown, pointer: string): string | undefined {
  if (!(problem instanceof ApiProblem)) return undefined;
  return problem.fields.find((field) => field.pointer === pointer)?.detail;
}

/** @param body whatever was answered: a proxy in between may have answered something of its own */
export function problemFrom(status: number, body: unknown, requestId: string | null, unreadable: string): ApiProblem {
  if (!isProblemDocument(body)) return new ApiProblem('unreadable', status, unreadable, '', requestId);
  const kind = body.type.replace(/^\/problems\//, '');
  return new ApiProblem(
    kind,
    status,
    body.title,
    body.detail,
    body.instance,
    body.stepUpUrl === undefined ? null : { isByKey: body.stepUpBy === 'security-key', url: body.stepUpUrl },
    body.errors ?? [],
  );
}

function isProblemDocument(body: unknown): body is ProblemDocument {
  if (typeof body !== 'object' || body === null) return false;
  const { type, title, detail } = body as Partial<ProblemDocument>;
  return typeof type === 'string' && typeof title === 'string' && typeof detail === 'string';
}
