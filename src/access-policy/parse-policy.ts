import { isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { z } from 'zod';
import { ACCESS_POLICY, type AccessPolicy } from './access-policy-schema.js';

/** Something wrong in the file: where, counted from 1 as editors do, and what, in a plain sentence. */
export interface PolicyMistake {
  line: number;
  column: number;
  message: string;
}

export type ParsedPolicy = { policy: AccessPolicy; mistakes: [] } | { policy: null; mistakes: PolicyMistake[] };

type Path = readonly PropertyKey[];

/**
 * Reads an access policy. All mistakes are told at once, in the file's order, so that one round of editing is enough.
 *
 * @param toolKeys the keys of the tools that exist; null when they aren't known, and then none is refused
 */
export function parsePolicy(text: string, toolKeys: readonly string[] | null): ParsedPolicy {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: 'error',
  });
  const at = (offset: number): Pick<PolicyMistake, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ pos, message, code }) => ({
      ...at(pos[0]),
      message: yamlSentence(code, message),
    }));
    return { policy: null, mistakes: inOrder(mistakes) };
  }
  const aliases = aliasOffsets(document);
  if (aliases.length > 0) {
    // An alias can blow a small file up beyond memory, and a reviewer would have to resolve it by eye.
    const message = 'Anchors and aliases (& and *) can’t be used here: write the value out.';
    return { policy: null, mistakes: aliases.map((offset) => ({ ...at(offset), message })) };
  }

  const place = (path: Path, part: 'key' | 'value'): Pick<PolicyMistake, 'line' | 'column'> =>
    at(offsetOf(document, path, part));
  const content: unknown = document.toJS();
  const result = ACCESS_POLICY.safeParse(content ?? {}, { reportInput: true });
  const mistakes = result.success ? [] : result.error.issues.flatMap((issue) => mistakesOf(issue, place));
  mistakes.push(
    ...duplicateRules(content, place),
    ...unknownTools(content, toolKeys, place),
    ...repeatedTools(content, place),
  );
  if (result.success && mistakes.length === 0) return { policy: result.data, mistakes: [] };
  return { policy: null, mistakes: inOrder(mistakes) };
}

type Place = (path: Path, part: 'key' | 'value') => Pick<PolicyMistake, 'line' | 'column'>;

function mistakesOf(issue: z.core.$ZodIssue, place: Place): PolicyMistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...place([...issue.path, key], 'key'),
      message: `“${key}” isn’t known here${knownKeysHint(issue.path)}.`,
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

function knownKeysHint(path: Path): string {
  const known = KNOWN_KEYS[path.filter((step) => typeof step === 'string').join('.')];
  return known ? `; known are ${known.join(', ')}` : '';
}

const RULE_SHAPE = ACCESS_POLICY.shape.rules.element.shape;
const KNOWN_KEYS: Partial<Record<string, string[]>> = {
  '': Object.keys(ACCESS_POLICY.shape),
  rules: Object.keys(RULE_SHAPE),
  'rules.when': Object.keys(RULE_SHAPE.when.unwrap().shape),
  'rules.tools': Object.keys(RULE_SHAPE.tools.unwrap().element.shape),
};

// The three checks below look at the content as it is, so that they speak up beside the schema's own mistakes.

function duplicateRules(content: unknown, place: Place): PolicyMistake[] {
  const seen = new Map<string, number>();
  return rulesOf(content).flatMap((rule, index) => {
    const name = textAt(rule, 'name')?.trim();
    if (!name) return [];
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, place(['rules', index, 'name'], 'value').line);
      return [];
    }
    return [
      { ...place(['rules', index, 'name'], 'value'), message: `There is a rule “${name}” already, in line ${first}.` },
    ];
  });
}

function unknownTools(content: unknown, toolKeys: readonly string[] | null, place: Place): PolicyMistake[] {
  if (toolKeys === null) return [];
  const known = toolKeys.length > 0 ? `known are ${toolKeys.join(', ')}` : 'no tool is set up yet';
  return rulesOf(content).flatMap((rule, index) =>
    toolsOf(rule).flatMap((access, position) => {
      const key = textAt(access, 'tool')?.trim();
      if (!key || toolKeys.includes(key)) return [];
      const where = place(['rules', index, 'tools', position, 'tool'], 'value');
      return [{ ...where, message: `There is no tool “${key}”; ${known}.` }];
    }),
  );
}

function repeatedTools(content: unknown, place: Place): PolicyMistake[] {
  return rulesOf(content).flatMap((rule, index) => {
    const keys = toolsOf(rule).map((access) => textAt(access, 'tool')?.trim());
    return keys.flatMap((key, position) =>
      key && keys.indexOf(key) < position
        ? [
            {
              ...place(['rules', index, 'tools', position, 'tool'], 'value'),
              message: `This rule names the tool “${key}” twice: put its groups together.`,
            },
          ]
        : [],
    );
  });
}

function rulesOf(content: unknown): unknown[] {
  return listAt(content, 'rules');
}

function toolsOf(rule: unknown): unknown[] {
  return listAt(rule, 'tools');
}

function listAt(holder: unknown, key: string): unknown[] {
  const value = valueAt(holder, key);
  return Array.isArray(value) ? value : [];
}

function textAt(holder: unknown, key: string): string | undefined {
  const value = valueAt(holder, key);
  return typeof value === 'string' ? value : undefined;
}

function valueAt(holder: unknown, key: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[key] : undefined;
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

function inOrder(mistakes: readonly PolicyMistake[]): PolicyMistake[] {
  return mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
