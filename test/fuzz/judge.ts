import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { ApiOperation } from './api-operations.js';
import type { FuzzRequest } from './requests-for.js';
import type { FuzzAnswer } from './send.js';

/** Whether an answer is one that the OpenAPI document allows. */
export class Judge {
  private readonly ajv = new Ajv2020({ strict: false, validateFormats: false });
  private readonly compiled = new Map<object, ValidateFunction>();

  /** @param components of the document: answers point into them */
  constructor(components: object) {
    this.ajv.addSchema({ $id: 'http://api/', components });
  }

  /** What is wrong with it, in a sentence; null: nothing. */
  complaint(operation: ApiOperation, request: FuzzRequest, answer: FuzzAnswer): string | null {
    const { status, headers } = answer;
    if (status === 0) return 'no answer';
    if (headers['x-request-id'] === undefined) {
      // Node itself refuses what isn't HTTP, and headers of more than 16 KiB.
      return status === 400 || status === 431 ? null : `${status} without X-Request-Id`;
    }
    if (status >= 500 && !isOfTool(operation, request, answer)) return `a ${status}`;
    // Whoever has it already is told so (RFC 9110, 13.1.2).
    if (status === 304 && request.headers['if-none-match'] !== undefined) return null;
    if (operation.isUndescribed) return null;
    if (status >= 300 && status < 400) return `a redirection: ${status}`;
    if (request.method !== operation.method) return this.complaintOfOtherMethod(request, answer);
    return this.complaintOfCaller(operation, request, answer) ?? this.complaintOfBody(operation, answer);
  }

  /** HEAD is answered as GET; nothing else is there. */
  private complaintOfOtherMethod({ method }: FuzzRequest, answer: FuzzAnswer): string | null {
    if (method === 'HEAD') return answer.text === '' ? null : 'a body in an answer to HEAD';
    return null;
  }

  /** Whoever may not is refused, unless the request can't even be read. A hostile path may lead nowhere. */
  private complaintOfCaller(
    { isPublic }: ApiOperation,
    { caller, kind }: FuzzRequest,
    { status }: FuzzAnswer,
  ): string | null {
    if (isPublic) return null;
    if (caller === 'all-scopes') return status === 401 ? '401 for a good token' : null;
    // A hostile cookie takes the place of the right one.
    if (caller === 'browser') return status === 401 && kind !== 'hostile' ? '401 for a good session' : null;
    const refusals = [401, 403, 400, 413, ...(kind === 'hostile' ? [404] : [])];
    return refusals.includes(status) ? null : `${status} for ${caller}`;
  }

  private complaintOfBody({ answers }: ApiOperation, { status, headers, text }: FuzzAnswer): string | null {
    const answer = answers[String(status)] ?? (status >= 400 ? answers['default'] : undefined);
    if (!answer) return `${status}, which isn't described`;
    const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
    const [mediaType, content] = Object.entries(answer.content)[0] ?? [];
    if (mediaType === undefined) return text === '' ? null : `a body with ${status}, which should have none`;
    if (type !== mediaType) return `${status} as ${type || 'nothing'}, not ${mediaType}`;
    if (!mediaType.endsWith('json') || !content?.schema) return null;
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return `${status} with a body that isn't JSON`;
    }
    const validate = this.validatorOf(content.schema);
    if (!validate(body)) return `${status} with a body of another shape: ${this.ajv.errorsText(validate.errors)}`;
    const told = (body as { status?: unknown }).status;
    return mediaType === 'application/problem+json' && told !== status ? `${status} that says ${String(told)}` : null;
  }

  private validatorOf(schema: object): ValidateFunction {
    const known = this.compiled.get(schema);
    if (known) return known;
    // `#/components/…` counts from the document's root.
    const absolute: object = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"http://api/#/'));
    const made = this.ajv.compile(absolute);
    this.compiled.set(schema, made);
    return made;
  }
}

/** A tool that doesn't do what it is asked is no failure of ours; an answer to HEAD can't say more than 502. */
function isOfTool({ callsOut }: ApiOperation, { method }: FuzzRequest, { status, text }: FuzzAnswer): boolean {
  return callsOut && status === 502 && (method === 'HEAD' || text.includes('"/problems/tool-failed"'));
}
