import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsService } from '../accounts/accounts.service.js';
import { CasesService } from '../cases/cases.service.js';
import { PeopleService } from '../people/people.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { planReset } from './plan-reset.js';

/** New credentials for all of a person's accounts; sessions and tokens from before end. */
@Injectable()
export class CredentialResetsService {
  constructor(
    private readonly db: DataSource,
    private readonly people: PeopleService,
    private readonly accounts: AccountsService,
    private readonly cases: CasesService,
  ) {}

  /** Answers the case's id. @throws Problem `not-found`; `conflict` when the person has no account to reset. */
  async start(personId: string, actor: Actor): Promise<string> {
    return inTransaction(this.db, async (tx) => {
      await requireWithin(tx, actor, 'whole person', personId);
      const person = await this.people.lock(tx, personId);
      const steps = planReset(await this.accounts.forPerson(tx, personId));
      if (steps.length === 0) {
        throw new Problem('conflict', 'This person has no account whose credentials could be reset.');
      }
      return this.cases.open(tx, {
        kind: 'credential_reset',
        lane: 'emergency',
        personId,
        generation: person.generation,
        actor,
        steps,
      });
    });
  }
}
