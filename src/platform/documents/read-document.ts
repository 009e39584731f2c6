import { isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { z } from 'zod';

/** Something wrong in a file: where, counted from 1 as editors do, and what, in a plain sentence. */
export interface Mistake {
  line: number;
  column: number;
  message: string;
}

export type ReadDocument<T> = { document: T; mistakes: [] } | { document: null; mistakes: Mistake[] };

type Path = readonly PropertyKey[];

/** Where something stands in the file: its name, or what is behind the name. */
export type Place = (path: Path, part: 'key' | 'value') => Pick<Mistake, 'line' | 'column'>;

export interface DocumentKind<T> {
  schema: z.ZodType<T>;
  /** The names that may stand there, by where: `''` is the file, `rules.when` what stands under `when` of a rule. */
  knownKeys: Partial<Record<string, readonly string[]>>;
  /** Looks at the content as it is, so that it speaks up beside the schema's own mistakes. */
  check: (content: unknown, place: Place) => Mistake[];
}

/**
 * Reads a YAML file that people write and review. All mistakes are told at once, in the file's order, so that one round of
 * editing is enough.
 */
export function readDocument<T>(text: string, { schema, knownKeys, check }: DocumentKind<T>): ReadDocument<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: 'error',
  });
  const at = (offset: number): Pick<Mistake, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ pos, message, code }) => ({
      ...at(pos[0]),
      message: yamlSentence(code, message),
    }));
    return { document: null, mistakes: inOrder(mistakes) };
  }
  const aliases = aliasOffsets(document);
  if (aliases.length > 0) {
    // An alias can blow a small file up beyond memory, and a reviewer would have to resolve it by eye.
    const message = 'Anchors and aliases (& and *) can’t be used here: write the value out.';
    return { document: null, mistakes: aliases.map((offset) => ({ ...at(offset), message })) };
  }

  const place: Place = (path, part) => at(offsetOf(document, path, part));
  const content: unknown = document.toJS();
  const result = schema.safeParse(content ?? {}, { reportInput: true });
  const mistakes = result.success ? [] : result.error.issues.flatMap((issue) => mistakesOf(issue, knownKeys, place));
  mistakes.push(...check(content, place));
  if (result.success && mistakes.length === 0) return { document: result.data, mistakes: [] };
  return { document: null, mistakes: inOrder(mistakes) };
}

/** What stands there, when it is a list. */
export function listAt(holder: unknown, key: string): unknown[] {
  const value = valueAt(holder, key);
  return Array.isArray(value) ? value : [];
}

/** What stands there, when it is a text. */
export function textAt(holder: unknown, key: string): string | undefined {
  const value = valueAt(holder, key);
  return typeof value === 'string' ? value : undefined;
}

function valueAt(holder: unknown, key: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[key] : undefined;
}

function mistakesOf(issue: z.core.$ZodIssue, knownKeys: DocumentKind<unknown>['knownKeys'], place: Place): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...place([...issue.path, key], 'key'),
      message: `“${key}” isn’t known here${hintOf(knownKeys, issue.path)}.`,
    }));
  }
  const name = inWords(issue.path);
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  const message = missing ? `${name} is missing.` : `${name} ${asSentence(issue)}`;
  return [{ ...place(issue.path, 'value'), message }];
}

function asSentence(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('must')) return `${issue.message}.`;
  if (issue.code === 'invalid_type') return `must be ${WHAT[issue.expected] ?? `a ${issue.expected}`}.`;
  return `isn’t right: ${issue.message}.`;
}

const WHAT: Partial<Record<string, string>> = {
  string: 'a text (put quotes around a number or a yes/no)',
  array: 'a list',
  object: 'a group of “name: value” lines',
};

function inWords(path: Path): string {
  if (path.length === 0) return 'The file';
  const words = path.map((step, index) =>
    typeof step === 'number' ? `${step + 1}.` : index === 0 ? step : ` ${String(step)}`,
  );
  return `“${words.map(String).join(' ').replaceAll(/\s+/g, ' ')}”`;
}

function hintOf(knownKeys: DocumentKind<unknown>['knownKeys'], path: Path): string {
  const known = knownKeys[path.filter((step) => typeof step === 'string').join('.')];
  return known ? `; known are ${known.join(', ')}` : '';
}

/** Where a path stands in the file; where nothing stands there (a missing key), its nearest holder. */
function offsetOf(document: Document.Parsed, path: Path, part: 'key' | 'value'): number {
  for (let length = path.length; length > 0; length -= 1) {
    const steps = path.slice(0, length);
    const key = part === 'key' && length === path.length ? keyNode(document, steps) : null;
    const node = key ?? (document.getIn(steps, true) as Node | undefined);
    if (node?.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function keyNode(document: Document.Parsed, path: Path): Node | null {
  let found: Node | null = null;
  const holder: unknown = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents;
  const name = path.at(-1);
  visit(document, {
    Pair(_key, pair, ancestors) {
      if (ancestors.at(-1) === holder && isScalar(pair.key) && pair.key.value === name) {
        found = pair.key;
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return found;
}

function aliasOffsets(document: Document.Parsed): number[] {
  const offsets: number[] = [];
  visit(document, { Alias: (_key, alias) => void offsets.push(alias.range?.[0] ?? 0) });
  return offsets;
}

function yamlSentence(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'This name stands here twice: keep one of the two.';
  if (code === 'TAB_AS_INDENT') return 'Indent with spaces: YAML takes no tabs.';
  return `This is no valid YAML: ${message.replace(/\.?$/, '.')}`;
}

function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  return mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
