import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { FoundAccount, ToolSession } from '../../../connectors/kit/contract.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { isDoubtful } from '../../accounts/doubtful.js';
import { markOf } from '../../accounts/mark.js';
import type { SeenAccount } from '../../accounts/record-observations.js';
import { ToolsService } from '../../tools/tools.service.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { CasesService } from '../cases.service.js';
import { findAll, type Target } from './act-on-tool.js';
import { failedAttempt, type Called, type Failed } from './call-result.js';
import type { Claim } from './claim.js';
import { decideAfterFailedLook } from './decide.js';
import { decideAfterLook, growCut, sortFound, type FoundByLook, type KnownAccount } from './grow-plan.js';
import { grantMayLand } from './in-the-air.js';
import { Settlement, type AttemptResult } from './settle.js';
import { loadTarget, type LoadedTarget } from './target.js';
import { TIMING } from './timing.js';

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
    if (claim.act === 'final_look' && (await grantMayLand(this.db, claim))) {
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
      const decision = decideAfterFailedLook({ ...claim, inProgress: false }, answer.failure, {
        now: new Date(),
        chance: Math.random(),
      });
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

  private async knownAccounts(claim: Claim): Promise<Known[]> {
    const accounts = await this.accounts.forPerson(this.db.manager, claim.personId);
    return accounts
      .filter(({ toolId }) => toolId === claim.toolId)
      .map(({ id, externalId, mark, username, purpose }) => ({
        id,
        externalId,
        mark: mark ?? '',
        username,
        purpose,
        isDoubtful: isDoubtful({ purpose }),
      }));
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
      sentAt: answer.sentAt,
    };
    await inTransaction(this.db, async (tx) => {
      // Whoever gives access back holds the person: what they want by now is seen, or they see the cut that follows.
      await tx.query(`SELECT 1 FROM people WHERE id = $1 FOR SHARE`, [claim.personId]);
      const ids = await this.noteFound(tx, claim, known, answer.value, found, at);
      const wanted = await this.wantedAccounts(tx, claim);
      const rounds = claim.act === 'final_look' ? await this.roundsOf(tx, claim) : 0;
      const decision = decideAfterLook(
        claim.act === 'discover' ? 'discover' : 'final_look',
        found,
        rounds,
        ({ account }) => wanted.has(ids.get(account.externalId)),
      );
      if ('giveUp' in decision) {
        await this.settlement.settle(tx, claim, attempt, { state: 'needs_human', reason: decision.giveUp });
        return;
      }
      await this.growCase(tx, claim, { toCut: decision.cut, doubtful: found.doubtful }, ids, rounds);
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
    const source = claim.act;
    await this.accounts.recordObservations(
      tx,
      found.located.map(({ accountId, found: { account } }) => ({ accountId, observed: account, source, at })),
    );
    for (const { accountId, found: one } of found.located) ids.set(one.account.externalId, accountId);
    for (const one of [...found.adopted, ...found.doubtful]) {
      const adopted = await this.accounts.adoptFound(tx, {
        personId: claim.personId,
        toolId: claim.toolId,
        generation: claim.generation,
        desiredState: 'suspended',
        found: one.account,
        isProven: found.adopted.includes(one),
        source,
        at,
      });
      // Null: recorded as somebody else's, or as a service's. Not this person's to touch.
      if (adopted) ids.set(one.account.externalId, adopted.id);
    }
    const looks: SeenAccount[] = [];
    for (const { id, externalId } of known) {
      if (externalId === null) continue;
      const one = all.find(({ account }) => account.externalId === externalId);
      looks.push({ accountId: id, observed: one?.account ?? null, source, at });
      ids.set(externalId, id);
    }
    await this.accounts.recordObservations(tx, looks);
    return ids;
  }

  private async wantedAccounts(tx: EntityManager, { personId, toolId }: Claim): Promise<Set<string | undefined>> {
    const accounts = await this.accounts.forPerson(tx, personId);
    return new Set(
      accounts.filter((account) => account.toolId === toolId && account.desiredState === 'active').map(({ id }) => id),
    );
  }

  /** Of these accounts, those that this case has asked a person about before. */
  private async askedAbout(tx: EntityManager, { caseId }: Claim, accountIds: readonly string[]): Promise<Set<string>> {
    const rows = await queryRows<{ accountId: string }>(
      tx,
      `SELECT DISTINCT account_id AS "accountId" FROM steps WHERE case_id = $1 AND account_id = ANY($2)`,
      [caseId, accountIds],
    );
    return new Set(rows.map(({ accountId }) => accountId));
  }

  private async growCase(
    tx: EntityManager,
    claim: Claim,
    { toCut, doubtful }: { toCut: readonly FoundAccount[]; doubtful: readonly FoundAccount[] },
    ids: ReadonlyMap<string, string>,
    rounds: number,
  ): Promise<void> {
    const idsOf = (accounts: readonly FoundAccount[]) => [
      ...new Set(accounts.flatMap(({ account }) => ids.get(account.externalId) ?? [])),
    ];
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
    const unproven = idsOf(doubtful);
    if (unproven.length === 0) return;
    const asked = await this.askedAbout(tx, claim, unproven);
    const steps = await this.cases.grow(
      tx,
      claim.caseId,
      growCut({
        toolId: claim.toolId,
        accountIds: unproven.filter((id) => !asked.has(id)),
        lookAgain: false,
        round: rounds,
      }),
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
