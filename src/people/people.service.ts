import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { readEntities, writeEntities } from '../platform/database/read-entities.js';
import { together } from '../platform/database/together.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { normalAddress } from './corporate-address.js';
import { generationAfter } from './generation.js';
import { Person, type PersonStatus } from './person.entity.js';

export interface PersonNames {
  givenName: string;
  familyName: string;
  displayName: string;
}

export interface NewPerson extends PersonNames {
  /** In a corporate domain: whoever holds the policy checks that first, with `refusePersonalAddress`. */
  corporateEmail: string;
  status: PersonStatus;
}

/** The only writer of `people`. */
@Injectable()
export class PeopleService {
  constructor(private readonly audit: AuditService) {}

  /** @throws Problem `conflict` when somebody has the address already */
  async create(tx: EntityManager, actor: Actor, person: NewPerson): Promise<Person> {
    const id = newId();
    const corporateEmail = normalAddress(person.corporateEmail);
    const { givenName, familyName, displayName, status } = person;
    const [[created]] = await together([
      writeEntities(
        tx,
        Person,
        `INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        [id, givenName, familyName, displayName, corporateEmail, status],
      ),
      this.audit.record(tx, actor, 'person.created', {
        subject: { kind: 'person', id },
        facts: { status },
        personal: { corporateEmail, displayName },
      }),
    ]);
    if (!created) throw addressTaken();
    return created;
  }

  /**
   * Names, address or status; the caller holds the row's lock. Nothing is written when nothing changes.
   * @param before as this transaction read it
   * @throws Problem `conflict` when somebody else has the address
   */
  async update(tx: EntityManager, actor: Actor, before: Person, change: Partial<NewPerson>): Promise<Person> {
    const { id } = before;
    const {
      givenName = before.givenName,
      familyName = before.familyName,
      displayName = before.displayName,
      corporateEmail = before.corporateEmail,
      status = before.status,
    } = change;
    const after: NewPerson = {
      givenName,
      familyName,
      displayName,
      corporateEmail: normalAddress(corporateEmail),
      status,
    };
    const changed = (Object.keys(after) as (keyof NewPerson)[]).filter((field) => after[field] !== before[field]);
    if (changed.length === 0) return before;
    if (changed.includes('corporateEmail') && (await this.findByEmail(tx, after.corporateEmail))) throw addressTaken();
    const [[written]] = await together([
      writeEntities(
        tx,
        Person,
        `UPDATE people SET given_name = $2, family_name = $3, display_name = $4, corporate_email = $5, status = $6,
           version = version + 1, updated_at = now() WHERE id = $1`,
        [id, after.givenName, after.familyName, after.displayName, after.corporateEmail, after.status],
      ),
      this.audit.record(tx, actor, 'person.changed', {
        subject: { kind: 'person', id },
        facts: { fields: changed, ...(changed.includes('status') ? { status: after.status } : {}) },
        ...(changed.includes('status') && { before: { status: before.status }, after: { status: after.status } }),
        personal: Object.fromEntries(
          changed
            .filter((field) => field !== 'status')
            .flatMap((field) => [
              [field, after[field]],
              [`${field}Before`, before[field]],
            ]),
        ),
      }),
    ]);
    return found(written);
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Person> {
    return found((await readEntities(tx, Person, `WHERE id = $1`, [id]))[0]);
  }

  async findByEmail(tx: EntityManager, corporateEmail: string): Promise<Person | null> {
    const address = normalAddress(corporateEmail);
    return (await readEntities(tx, Person, `WHERE corporate_email = $1`, [address]))[0] ?? null;
  }

  /** Whoever decides about a person holds this lock until the commit. @throws Problem `not-found` */
  async lock(tx: EntityManager, id: string): Promise<Person> {
    return found((await readEntities(tx, Person, `WHERE id = $1 FOR UPDATE`, [id]))[0]);
  }

  /** Raises the person's generation and answers it. The version stays: nothing that anybody edits has changed. */
  async nextGeneration(tx: EntityManager, personId: string): Promise<number> {
    const [known] = await queryRows<{ generation: number; epoch: number | null }>(
      tx,
      prepared(
        `SELECT p.generation, (SELECT epoch FROM installation WHERE id = 1) AS epoch FROM people p WHERE p.id = $1 FOR UPDATE`,
      ),
      [personId],
    );
    if (!known) throw new Problem('not-found', 'There is no person with this id.');
    if (known.epoch === null) throw new Error('There is no installation yet: run `quartermaster init` first.');
    const generation = generationAfter(known.generation, known.epoch);
    await tx.query(prepared(`UPDATE people SET generation = $2 WHERE id = $1`), [personId, generation]);
    return generation;
  }
}

function addressTaken(): Problem {
  return new Problem('conflict', 'Somebody else has this corporate address already.');
}

function found(person: Person | undefined): Person {
  if (!person) throw new Problem('not-found', 'There is no person with this id.');
  return person;
}
