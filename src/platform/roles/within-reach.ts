import type { EntityManager, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { Problem } from '../errors/problem.js';
import type { Actor } from '../sign-in/actor.js';
import type { Narrowing, Reach } from './reach.js';

/**
 * Everything that a reach is about, in SQL over the row `it`: the one place that says what belongs to whom. The tables
 * are other floors'; here they are names in a condition, so that each list can carry it.
 */
const REACHED = {
  /** To look at. At a tool: who has an account there. */
  person: {
    table: 'people',
    holds: ({ people, tool }) => [
      people?.('it.id'),
      tool && `it.id IN (SELECT a.person_id FROM accounts a WHERE a.tool_id = ${tool})`,
    ],
  },
  /** For acts on all of somebody's access: one tool's helpdesk can't start one. */
  'whole person': { table: 'people', holds: ({ people, tool }) => [people?.('it.id'), tool && 'false'] },
  account: {
    table: 'accounts',
    holds: ({ people, tool }) => [people?.('it.person_id'), tool && `it.tool_id = ${tool}`],
  },
  /** To look at, and to give out: what is in stock is nobody's, and what is kept is whose it is kept for. */
  device: {
    table: 'devices',
    holds: ({ people, tool }) => [
      people &&
        `(it.state = 'in_stock' AND it.holder_id IS NULL OR ${people('it.holder_id')} OR ${people('it.reserved_for_id')})`,
      tool && 'false',
    ],
  },
  'held device': { table: 'devices', holds: ({ people, tool }) => [people?.('it.holder_id'), tool && 'false'] },
  acknowledgement: {
    table: 'device_acknowledgements',
    holds: ({ people, tool }) => [people?.('it.person_id'), tool && 'false'],
  },
  return: {
    table: 'device_returns',
    holds: ({ people, tool }) => [people?.('it.person_id'), tool && 'false'],
  },
  replacement: {
    table: 'device_replacements',
    holds: ({ people, tool }) => [people?.('it.person_id'), tool && 'false'],
  },
  case: {
    table: 'cases',
    holds: ({ people, tool }) => [
      people?.('it.person_id'),
      tool && `EXISTS (SELECT FROM steps s WHERE s.case_id = it.id AND s.tool_id = ${tool})`,
    ],
  },
  step: { table: 'steps', holds: ({ people, tool }) => [people?.('it.person_id'), tool && `it.tool_id = ${tool}`] },
  /** About a step, or at least about a tool. */
  alert: {
    table: 'alerts',
    holds: ({ people, tool }) => [
      people && `EXISTS (SELECT FROM steps s WHERE s.id = it.step_id AND ${people('s.person_id')})`,
      tool && `it.tool_id = ${tool}`,
    ],
  },
  /** All of the people whom it holds have to be within: who decides about it decides about all of them. */
  brake: {
    table: 'brakes',
    holds: ({ people, tool }) => [
      people && all(`SELECT held.person_id AS id FROM braked_cases held WHERE held.brake_id = it.id`, people),
      tool && 'false',
    ],
  },
  approval: {
    table: 'approvals',
    holds: ({ people, tool }) => [
      people &&
        all(
          `SELECT (subject ->> 'id')::uuid AS id FROM jsonb_array_elements(it.plan #> '{about,people}') subject`,
          people,
        ),
      tool && 'false',
    ],
  },
  /** Nobody looked yet whose it is: it is for who is there for everybody. */
  'loss report': { table: 'loss_reports', holds: ({ people, tool }) => [people && 'false', tool && 'false'] },
  /** To look at: a department uses them all. */
  tool: { table: 'tools', holds: ({ tool }) => [tool && `it.id = ${tool}`] },
  /** To change: whoever is there for a department would change it for all. */
  'whole tool': { table: 'tools', holds: ({ people, tool }) => [people && 'false', tool && `it.id = ${tool}`] },
} as const satisfies Record<string, { table: string; holds: (limits: Limits) => (string | null | undefined)[] }>;

export type Reached = keyof typeof REACHED;

/** That there are such people, and that there is none but within. @param some SQL of a column `id` */
function all(some: string, people: (column: string) => string): string {
  return `EXISTS (${some}) AND NOT EXISTS (SELECT FROM (${some}) AS one WHERE NOT ${people('one.id')})`;
}

/** A narrowing as SQL: whether a column holds somebody of the department and location, and the tool; null: no limit. */
interface Limits {
  people: ((column: string) => string) | null;
  tool: string | null;
}

/** Keeps a list to what the actor reaches. Who reaches everything pays nothing. */
export function keepWithin<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  { reach }: Actor,
  what: Reached,
): void {
  if (!reach) return;
  const { sql, parameters } = conditionFor(reach, what, query.alias);
  query.andWhere(sql, parameters);
}

/**
 * One thing by its id, as if it weren't there when it is out of the actor's reach.
 *
 * @throws Problem `not-found`, in the words of whoever doesn't find it at all
 */
export async function requireWithin(tx: EntityManager, actor: Actor, what: Reached, id: string): Promise<void> {
  if (await reaches(tx, actor, what, id)) return;
  throw new Problem('not-found', `There is no ${what.split(' ').at(-1)} with this id.`);
}

/** Whether the actor's reach takes in this one thing. Who reaches everything pays nothing. */
export async function reaches(
  tx: EntityManager,
  { reach }: Pick<Actor, 'reach'>,
  what: Reached,
  id: string,
): Promise<boolean> {
  if (!reach) return true;
  const { sql, parameters } = conditionFor(reach, what, 'it');
  const row = await tx
    .createQueryBuilder()
    .select('1', 'one')
    .from(REACHED[what].table, 'it')
    .where('it.id = :reachedId', { reachedId: id })
    .andWhere(sql, parameters)
    .getRawOne();
  return row !== undefined;
}

function conditionFor(reach: Reach, what: Reached, alias: string): { sql: string; parameters: ObjectLiteral } {
  const parameters: ObjectLiteral = {};
  const within = reach.map((narrowing, index) => {
    const parameter = (name: keyof Narrowing): string | null => {
      if (narrowing[name] === null) return null;
      parameters[`reach${index}${name}`] = narrowing[name];
      return `:reach${index}${name}`;
    };
    const limits = limitsOf(parameter('department'), parameter('location'), parameter('toolId'));
    const holds = REACHED[what].holds(limits).filter((condition) => typeof condition === 'string');
    return holds.length === 0 ? 'true' : holds.join(' AND ').replaceAll(/\bit\./g, `${alias}.`);
  });
  return { sql: `(${within.map((one) => `(${one})`).join(' OR ')})`, parameters };
}

/** Somebody belongs where an employment of theirs says that isn't over; who has none left, where the past ones say. */
function limitsOf(department: string | null, location: string | null, tool: string | null): Limits {
  const places = [
    department && `lower(e.department) = lower(${department})`,
    location && `lower(e.location) = lower(${location})`,
  ].filter((place) => place !== null);
  const people = (column: string): string => `${column} IN (
    SELECT e.person_id FROM employments e WHERE ${places.join(' AND ')} AND (e.ends_at IS NULL OR e.ends_at > now()
      OR NOT EXISTS (SELECT FROM employments o WHERE o.person_id = e.person_id AND (o.ends_at IS NULL OR o.ends_at > now()))))`;
  return { people: places.length === 0 ? null : people, tool };
}
