import type { EntityManager } from 'typeorm';
import { Employment } from '../../src/people/employment.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { startOfLocalDay } from '../../src/people/start-instant.js';
import { newId } from '../../src/platform/ids/new-id.js';

/** An active person; names and address of their own. */
export async function aPerson(tx: EntityManager, with_: Partial<Person> = {}): Promise<Person> {
  const id = newId();
  const givenName = with_.givenName ?? 'Ada';
  const familyName = with_.familyName ?? 'Lovelace';
  await tx.insert(Person, {
    id,
    givenName,
    familyName,
    displayName: `${givenName} ${familyName}`,
    corporateEmail: `person-${id.slice(-12)}@acme.example`,
    status: 'active',
    ...with_,
  });
  return tx.findOneByOrFail(Person, { id: with_.id ?? id });
}

/** Begun at the start of 2026 in Berlin, without an end, as the source `hr` told it; dates make the instants. */
export async function anEmployment(
  tx: EntityManager,
  with_: Partial<Employment> & Pick<Employment, 'personId'>,
): Promise<Employment> {
  const id = newId();
  const { startDate = '2026-01-01', endDate = null, zone = 'Europe/Berlin' } = with_;
  await tx.insert(Employment, {
    id,
    source: 'hr',
    sourceId: id,
    department: 'engineering',
    title: null,
    employmentType: 'employee',
    location: 'Berlin',
    zone,
    startDate,
    startsAt: startOfLocalDay(startDate, zone),
    endDate,
    endsAt: endDate === null ? null : startOfLocalDay(endDate, zone),
    lastEventAt: new Date('2026-01-01T00:00:00Z'),
    ...with_,
  });
  return tx.findOneByOrFail(Employment, { id: with_.id ?? id });
}
