import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsService } from '../accounts/accounts.service.js';
import { Brakes } from '../brakes/brakes.service.js';
import { CasesService } from '../cases/cases.service.js';
import { PeopleService } from '../people/people.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { planReset } from '../cases/plan-reset.js';

export interface Reset {
  caseId: string;
  /** A brake holds it: nothing of it is done before two people decide. */
  held: boolean;
}

/** New credentials for all of a person's accounts; sessions and tokens from before end. */
@Injectable()
export class CredentialResetsService {
  constructor(
    private readonly db: DataSource,
    private readonly people: PeopleService,
    private readonly accounts: AccountsService,
    private readonly cases: CasesService,
    private readonly brakes: Brakes,
  ) {}

  /**
   * Beyond the limit of whoever asks for it, it is planned and held; one that is held already is answered again. What a
   * leave or a loss does to somebody isn't asked for here, and never held.
   *
   * @throws Problem `not-found`; `conflict` when the person has no account to reset
   */
  async start(personId: string, actor: Actor): Promise<Reset> {
    return inTransaction(this.db, async (tx) => {
      await requireWithin(tx, actor, 'whole person', personId);
      const person = await this.people.lock(tx, personId);
      const steps = planReset(await this.accounts.forPerson(tx, personId));
      if (steps.length === 0) {
        throw new Problem('conflict', 'This person has no account whose credentials could be reset.');
      }
      // Who is in danger now isn't held by a brake of before, as long as there is room within the hour.
      const change = { kind: 'resets', actor, personId, urgent: true } as const;
      const verdict = await this.brakes.admit(tx, change);
      const earlier = verdict.held.find(({ kind }) => kind === 'resets');
      if (earlier && !verdict.passes) return { caseId: earlier.caseId, held: true };
      // This one is done now: nobody has to decide about the same again.
      if (earlier) await this.brakes.drop(tx, earlier, actor, 'Their credentials are reset now.');
      const held = !verdict.passes;
      const caseId = await this.cases.open(tx, {
        kind: 'credential_reset',
        lane: 'emergency',
        personId,
        generation: person.generation,
        actor,
        steps,
        held,
      });
      if (held) await this.brakes.hold(tx, change, caseId);
      return { caseId, held };
    });
  }
}
