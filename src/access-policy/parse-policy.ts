import {
  listAt,
  readDocument,
  textAt,
  type Mistake,
  type Place,
  type ReadDocument,
} from '../platform/documents/read-document.js';
import { ACCESS_POLICY, type AccessPolicy } from './access-policy-schema.js';

/**
 * Reads an access policy.
 *
 * @param toolKeys the keys of the tools that exist; null when they aren't known, and then none is refused
 */
export function parsePolicy(text: string, toolKeys: readonly string[] | null): ReadDocument<AccessPolicy> {
  return readDocument(text, {
    schema: ACCESS_POLICY,
    knownKeys: KNOWN_KEYS,
    check: (content, place) => [
      ...duplicateRules(content, place),
      ...unknownTools(content, toolKeys, place),
      ...repeatedTools(content, place),
    ],
  });
}

const RULE_SHAPE = ACCESS_POLICY.shape.rules.element.shape;
const KNOWN_KEYS: Partial<Record<string, string[]>> = {
  '': Object.keys(ACCESS_POLICY.shape),
  rules: Object.keys(RULE_SHAPE),
  'rules.when': Object.keys(RULE_SHAPE.when.unwrap().shape),
  'rules.tools': Object.keys(RULE_SHAPE.tools.unwrap().element.shape),
};

function duplicateRules(content: unknown, place: Place): Mistake[] {
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

function unknownTools(content: unknown, toolKeys: readonly string[] | null, place: Place): Mistake[] {
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

function repeatedTools(content: unknown, place: Place): Mistake[] {
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
