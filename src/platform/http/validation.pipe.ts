import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { Problem, type FieldProblem } from '../errors/problem.js';

/** A path segment as Standard Schema has it. */
type Segment = PropertyKey | { key: PropertyKey };
interface Issue {
  message: string;
  path?: readonly Segment[];
}

/**
 * Checks `@Body({ schema })`, `@Query({ schema })` and `@Param('id', { schema })`, and hands on what the schema made of
 * them. Pointers of the body start at its root; those of other parts with `/query`, `/path` or `/header`.
 */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || !this.toValidate(metadata)) return value;
    this.stripProtoKeys(value);
    const result = await this.validate<T>(value, schema, this.validateOptions);
    if (!result.issues) return result.value;
    throw invalidRequest(metadata, result.issues);
  }
}

const PREFIX: Readonly<Record<string, string>> = { query: '/query', param: '/path', headers: '/header' };
const MOST_TOLD = 50;

function invalidRequest({ type, data }: ArgumentMetadata, issues: readonly Issue[]): Problem {
  const base = (PREFIX[type] ?? '') + (data ? `/${escapePointer(data)}` : '');
  const fields: FieldProblem[] = issues.slice(0, MOST_TOLD).map(({ message, path = [] }) => ({
    pointer: base + path.map(pointerSegment).join(''),
    detail: sentence(message),
  }));
  const first = fields[0];
  const more = issues.length > 1 ? ` and ${issues.length - 1} more` : '';
  return new Problem('invalid-request', `Not valid: ${first?.pointer || 'the body'}${more}. See \`errors\`.`, fields);
}

function pointerSegment(segment: Segment): string {
  return `/${escapePointer(String(typeof segment === 'object' ? segment.key : segment))}`;
}

/** RFC 6901, section 3. */
function escapePointer(text: string): string {
  return text.replaceAll('~', '~0').replaceAll('/', '~1');
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
