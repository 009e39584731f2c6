import { In, type EntityManager, type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import { keepWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Person, type PersonStatus } from './person.entity.js';

export interface PeopleFilter {
  status?: PersonStatus;
  /** Of any of their employments; capitals don't matter. */
  department?: string;
  /** Part of a name or of the address. */
  search?: string;
}

export interface PeoplePage {
  /** The last id of the page before. */
  after: string | null;
  limit: number;
}

/** What a search looks through, as the index `ix_people_search` has it; a line break keeps a part from being of two. */
const SEARCHED = `(person.display_name || E'\\n' || person.given_name || ' ' || person.family_name || E'\\n' || person.corporate_email)`;

/** How many people are looked through for each that is wanted, before all who match are taken from the index of trigrams. */
const NEAR = 50;

/** By id, which is the order in which they were made. */
export async function listPeople(
  tx: EntityManager,
  actor: Actor,
  filter: PeopleFilter,
  { after, limit }: PeoplePage,
): Promise<Person[]> {
  if (!filter.search) {
    const all = tx.createQueryBuilder(Person, 'person');
    return narrowed(all, actor, filter, after).orderBy('person.id').limit(limit).getMany();
  }
  // What many match is found near, what few match by the index. Which of the two it is PostgreSQL guesses from a sample,
  // and guessed wrong of one search in eight: it read a tenth of a million people where it had to look up a thousand.
  const matching = (people: string) => narrowed(idsOf(tx, people), actor, filter, after);
  const nearest = `(SELECT * FROM people ${after === null ? '' : 'WHERE id > :after'} ORDER BY id LIMIT ${NEAR * limit})`;
  let found = await firstOf(tx, matching(nearest), limit);
  if (found.length < limit) found = await firstOf(tx, matching('people'), limit);
  return tx.find(Person, { where: { id: In(found) }, order: { id: 'ASC' } });
}

function idsOf(tx: EntityManager, people: string): SelectQueryBuilder<ObjectLiteral> {
  return tx.createQueryBuilder().select('person.id', 'id').from(people, 'person');
}

function narrowed<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  actor: Actor,
  { status, department, search }: PeopleFilter,
  after: string | null,
): SelectQueryBuilder<Row> {
  keepWithin(query, actor, 'person');
  if (after !== null) query.andWhere('person.id > :after', { after });
  if (status) query.andWhere('person.status = :status', { status });
  if (department) {
    query.andWhere(
      `EXISTS (SELECT FROM employments e WHERE e.person_id = person.id AND lower(e.department) = lower(:department))`,
      { department },
    );
  }
  if (search) {
    query.andWhere(`${SEARCHED} ILIKE :pattern`, { pattern: `%${search.replaceAll(/[\\%_]/g, '\\$&')}%` });
  }
  return query;
}

/** The first ids: `OFFSET 0` keeps the order and the limit out of how those who match are found. */
async function firstOf(
  tx: EntityManager,
  matching: SelectQueryBuilder<ObjectLiteral>,
  limit: number,
): Promise<string[]> {
  const found = await tx
    .createQueryBuilder()
    .select('found.id', 'id')
    .from(`(${matching.getQuery()} OFFSET 0)`, 'found')
    .setParameters(matching.getParameters())
    .orderBy('found.id')
    .limit(limit)
    .getRawMany<{ id: string }>();
  return found.map(({ id }) => id);
}
