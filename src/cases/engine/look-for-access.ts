import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { FoundAccount, ToolSession } from '../../../connectors/kit/contract.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { markOf } from '../../accounts/mark.js';
import { ToolsService } from '../../tools/tools.service.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { CasesService } from '../cases.service.js';
import { findAll, type Target } from './act-on-tool.js';
import { failedAttempt, type Called, type Failed } from './call-result.js';
import type { Claim } from './claim.js';
import { decideAfterFailedLook } from './decide.js';
import { growCut, sortFound, type FoundByLook, type KnownAccount } from './grow-plan.js';
import { Settlement, type AttemptResult } from './settle.js';
import { loadTarget, type LoadedTarget } from './target.js';
import { TIMING } from './timing.js';

const MANY_ROUNDS = 6;

interface Known extends KnownAccount {
  username: string;
  purpose: string;
}

/**
 * Looks for everything that a person has at a tool: `discover` at the start of a leave or a loss, `final_look` at its
 * end. What is found becomes steps; a case closes only when a last look finds nothing that works.
 */
@Injectable()
export class LookForAccess {
  constructor(
    private readonly db: DataSource,
    private readonly accounts: AccountsService,
    private readonly tools: ToolsService,
    private readonly cases: CasesService,
    private readonly settlement: Settlement,
  ) {}

  async run(
    claim: Claim,
    call: (work: (session: ToolSession) => Promise<FoundAccount[]>) => Promise<Called<FoundAccount[]> | Failed>,
  ): Promise<void> {
    if (claim.act === 'final_look' && (await this.grantsInTheAir(claim))) {
      const reason = 'Waits for a call that may still land.';
      await inTransaction(this.db, (tx) =>
        this.settlement.settle(
          tx,
          claim,
          { outcome: 'not_sent' },
          { state: 'ready', dueIn: TIMING.settle, failed: false, reason },
        ),
      );
      return;
    }
    const known = await this.knownAccounts(claim);
    const target = await this.targetOf(claim, known);
    const answer = await call((session) => lookEverywhere(session, target, known));
    if ('failure' in answer) {
      const decision = decideAfterFailedLook({ ...claim, inProgress: false }, answer.failure, { now: new Date(), chance: Math.random() });
      await inTransaction(this.db, async (tx) => {
        await this.settlement.settle(tx, claim, failedAttempt(answer), decision.next);
        if (decision.pauseTool) await this.settlement.pauseTool(tx, claim.toolId, decision.pauseTool);
      });
      return;
    }
    const found = sortFound(
      answer.value,
      known,
      { username: target.username, email: target.holder.email },
      target.ownPrincipal,
    );
    await this.write(claim, known, answer, found, target.loadedAt);
  }

  /**
   * Grants of this person at this tool that were sent, or may yet be: steps under way, and attempts of workers that can't
   * be shown to have ended. A request of a worker that is gone can land until its own deadline.
   */
  private async grantsInTheAir(claim: Claim): Promise<boolean> {
    const rows = await queryRows(
      this.db,
      `SELECT 1 FROM steps WHERE person_id = $1 AND tool_id = $2 AND effect = 'grant' AND state IN ('running', 'confirming')
       UNION ALL
       SELECT 1 FROM attempts WHERE person_id = $1 AND tool_id = $2 AND effect = 'grant' AND kind = 'act' AND outcome IS NULL
         AND (abandoned_at IS NULL OR call_deadline > now())
       LIMIT 1`,
      [claim.personId, claim.toolId],
    );
    return rows.length > 0;
  }

  private async knownAccounts(claim: Claim): Promise<Known[]> {
    const accounts = await this.accounts.forPerson(this.db.manager, claim.personId);
    return accounts
      .filter(({ toolId }) => toolId === claim.toolId)
      .map(({ id, externalId, mark, username, purpose }) => ({ id, externalId, mark: mark ?? '', username, purpose }));
  }

  /** By the primary account's names; where there is none, by those that it would have. */
  private async targetOf(claim: Claim, known: readonly Known[]): Promise<LoadedTarget> {
    const target = await loadTarget(this.db, claim);
    const primary = known.find(({ purpose }) => purpose === 'primary');
    if (primary) return { ...target, mark: primary.mark, username: primary.username };
    const tool = await this.tools.get(this.db.manager, claim.toolId);
    const { personId, email } = target.holder;
    const username = await inTransaction(this.db, (tx) =>
      this.accounts.usernameAt(tx, claim.toolId, { id: personId, corporateEmail: email }, tool.settings.usernameFrom),
    );
    return { ...target, mark: markOf(personId, 'primary'), username };
  }

  private async write(
    claim: Claim,
    known: readonly Known[],
    answer: Called<FoundAccount[]>,
    found: FoundByLook,
    at: Date,
  ): Promise<void> {
    const attempt: AttemptResult = {
      outcome: 'shown',
      detail: { accounts: answer.value.length, usable: found.usable.length, doubtful: found.doubtful.length },
      sentAgo: answer.sentAgo,
    };
    await inTransaction(this.db, async (tx) => {
      const ids = await this.noteFound(tx, claim, known, answer.value, found, at);
      const rounds = claim.act === 'final_look' ? await this.roundsOf(tx, claim) : 0;
      if (rounds >= MANY_ROUNDS && found.usable.length > 0) {
        const reason = `After ${rounds} looks an account still works there. Cut it by hand, then complete this step.`;
        await this.settlement.settle(tx, claim, attempt, { state: 'needs_human', reason });
        return;
      }
      await this.growCase(tx, claim, found, ids, rounds);
      await this.settlement.settle(tx, claim, attempt, { state: 'done', residualUntil: null, unprovable: null });
    });
  }

  /** Writes what was seen of each account; answers our id for each stable id. */
  private async noteFound(
    tx: EntityManager,
    claim: Claim,
    known: readonly Known[],
    all: readonly FoundAccount[],
    found: FoundByLook,
    at: Date,
  ): Promise<Map<string, string>> {
    const ids = new Map<string, string>();
    for (const { accountId, found: one } of found.located) {
      await this.accounts.recordObservation(tx, accountId, one.account, claim.act, at);
      ids.set(one.account.externalId, accountId);
    }
    for (const one of [...found.adopted, ...found.doubtful]) {
      const adopted = await this.accounts.adoptFound(tx, {
        personId: claim.personId,
        toolId: claim.toolId,
        generation: claim.generation,
        desiredState: 'suspended',
        found: one.account,
        source: claim.act,
        at,
      });
      // Null: recorded as somebody else's, or as a service's. Not this person's to touch.
      if (adopted) ids.set(one.account.externalId, adopted.id);
    }
    for (const { id, externalId } of known) {
      if (externalId === null) continue;
      const one = all.find(({ account }) => account.externalId === externalId);
      await this.accounts.recordObservation(tx, id, one?.account ?? null, claim.act, at);
      ids.set(externalId, id);
    }
    return ids;
  }

  private async growCase(
    tx: EntityManager,
    claim: Claim,
    found: FoundByLook,
    ids: ReadonlyMap<string, string>,
    rounds: number,
  ): Promise<void> {
    const idsOf = (accounts: readonly FoundAccount[]) => [
      ...new Set(accounts.flatMap(({ account }) => ids.get(account.externalId) ?? [])),
    ];
    const discovered = [...found.located.map(({ found: one }) => one), ...found.adopted];
    // At the start, what was known is being cut already; at the end, whatever still works is cut again.
    const toCut = claim.act === 'discover' ? discovered : found.usable;
    await this.cases.grow(
      tx,
      claim.caseId,
      growCut({
        toolId: claim.toolId,
        accountIds: idsOf(toCut),
        lookAgain: claim.act === 'final_look',
        round: rounds,
      }),
    );
    const doubtful = idsOf(found.doubtful);
    if (doubtful.length === 0) return;
    const steps = await this.cases.grow(
      tx,
      claim.caseId,
      growCut({ toolId: claim.toolId, accountIds: doubtful, lookAgain: false, round: rounds }),
    );
    for (const stepId of steps.values()) {
      await this.settlement.giveToHuman(
        tx,
        stepId,
        'This account carries the user name or the address of the person, but nothing proves that it is theirs. Retry to cut it, or waive.',
      );
    }
  }

  private async roundsOf(tx: EntityManager, { caseId, toolId }: Claim): Promise<number> {
    const [row] = await queryRows<{ rounds: number }>(
      tx,
      `SELECT count(*)::int AS rounds FROM steps WHERE case_id = $1 AND tool_id = $2 AND act = 'final_look'`,
      [caseId, toolId],
    );
    return row?.rounds ?? 0;
  }
}

/** Everything found by mark, user name and address, and every account that we know by its stable id. */
async function lookEverywhere(session: ToolSession, target: Target, known: readonly Known[]): Promise<FoundAccount[]> {
  const hits = await findAll(session, target);
  const found = new Map<string, FoundAccount>();
  for (const hit of hits) {
    // The account's own page shows its sessions; a search may not.
    const account = await session.getAccount(hit.account);
    if (account) found.set(account.externalId, { account, matchedBy: hit.matchedBy });
  }
  for (const { externalId, username } of known) {
    if (externalId === null || found.has(externalId)) continue;
    const account = await session.getAccount({ externalId, username });
    if (account) found.set(externalId, { account, matchedBy: 'mark' });
  }
  return [...found.values()];
}
