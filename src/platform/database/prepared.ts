const MARK = '/* prepared */ ';

/** Statement names by text. Only constant texts are marked, so there are some dozens. */
const NAMES = new Map<string, string>();

/**
 * Marks a statement that PostgreSQL is to parse and plan once per connection: a good part of what a short one costs. For
 * paths that are taken often. Its text must be constant, and its plan good whatever the parameters: after some uses
 * PostgreSQL makes one plan for all of them (`test/engine/query-plans.spec.ts` looks at that one as well).
 */
export function prepared(sql: string): string {
  return `${MARK}${sql}`;
}

/**
 * An array in a prepared statement, as in `state = ANY (${arrayIn('$1', 'text')})`. With the parameter alone PostgreSQL
 * plans anew each time: the plan for the few values that there mostly are seems cheaper than the plan for any number.
 */
export function arrayIn(parameter: string, type: 'uuid' | 'text' | 'int'): string {
  return `ARRAY (SELECT unnest(${parameter}::${type}[]))`;
}

/** An array of ids; see `arrayIn`. */
export function idsIn(parameter: string): string {
  return arrayIn(parameter, 'uuid');
}

/** The name to prepare a statement under; undefined for one that isn't marked. */
export function preparedName(sql: string): string | undefined {
  if (!sql.startsWith(MARK)) return undefined;
  const known = NAMES.get(sql);
  if (known !== undefined) return known;
  const name = `quartermaster_${NAMES.size + 1}`;
  NAMES.set(sql, name);
  return name;
}

/**
 * Whether PostgreSQL refused a prepared statement because a column has changed its type since: on another connection it
 * is prepared anew.
 */
export function isOutdatedPlan(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'routine' in error && error.routine === 'RevalidateCachedQuery';
}
