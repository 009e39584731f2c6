import { randomBytes } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { Case } from '../../src/cases/case.entity.js';
import { CasesService } from '../../src/cases/cases.service.js';
import { EFFECT_OF } from '../../src/cases/step-states.js';
import { Step } from '../../src/cases/step.entity.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import { SecretVault } from '../../src/platform/crypto/secret-vault.service.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { Permits } from '../../src/platform/roles/permits.service.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import { BrowserSessions } from '../../src/platform/sign-in/browser-sessions.service.js';
import { SecurityKeys } from '../../src/platform/sign-in/security-keys/security-keys.service.js';
import { SignInIdentities } from '../../src/platform/sign-in/sign-in-identities.service.js';
import { SignInNews } from '../../src/platform/sign-in/sign-in-news.service.js';
import { anAccount } from './accounts.js';
import { aPerson } from './people.js';

/** An open leaver case; the person is made when none is given. */
export async function aCase(tx: EntityManager, with_: Partial<Case> = {}): Promise<Case> {
  const id = with_.id ?? newId();
  const personId = with_.personId ?? (await aPerson(tx)).id;
  const { facts = {}, ...rest } = with_;
  await tx.insert(Case, {
    kind: 'leaver',
    lane: 'standard',
    generation: 1,
    openedBy: 'a test',
    ...rest,
    id,
    personId,
    // TypeORM's partial types can't express `unknown` inside a JSON column.
    facts: facts as object,
  });
  return tx.findOneByOrFail(Case, { id });
}

/** A suspension that is ready, on an account of its own, unless something else is said; with what its state asks for. */
export async function aStep(tx: EntityManager, with_: Partial<Step> = {}): Promise<Step> {
  const id = with_.id ?? newId();
  const owner = with_.caseId
    ? await tx.findOneByOrFail(Case, { id: with_.caseId })
    : await aCase(tx, with_.personId ? { personId: with_.personId } : {});
  const { personId, lane, generation } = owner;
  const account = with_.accountId
    ? { id: with_.accountId, toolId: with_.toolId }
    : await anAccount(tx, { personId, ...(with_.toolId && { toolId: with_.toolId }) });
  const act = with_.act ?? 'suspend_account';
  const { input = {}, ...rest } = with_;
  await tx.insert(Step, {
    lane,
    generation,
    act,
    effect: EFFECT_OF[act],
    state: 'ready',
    position: 1,
    ...needsOf(with_.state),
    ...rest,
    id,
    caseId: owner.id,
    personId,
    accountId: account.id,
    toolId: account.toolId,
    input: input as object,
  });
  return tx.findOneByOrFail(Step, { id });
}

/** What the database asks of a step in this state. */
function needsOf(state: Step['state'] | undefined): Partial<Step> {
  const now = new Date();
  switch (state) {
    case 'running':
      return { leaseOwner: newId(), leaseUntil: new Date(now.getTime() + 3_600_000) };
    case 'needs_human':
      return { owner: 'owner@acme.example', deadline: new Date(now.getTime() + 3_600_000), reason: 'Do it by hand.' };
    case 'waived':
      return { owner: 'Grace', reason: 'Nobody needs it.', endedAt: now };
    case 'done':
      return { confirmedAt: now, endedAt: now };
    default:
      return {};
  }
}

/** As the application makes it, for tests that start none. */
export function casesServiceOn(db: DataSource): CasesService {
  const audit = new AuditService();
  const vault = new SecretVault(new Keyring(new InstallationKey(randomBytes(32))));
  const sessions = new BrowserSessions(db, audit, vault);
  const roles = new RoleAssignments(db, new Permits(db), audit);
  const keys = new SecurityKeys(db, audit, sessions, new SignInNews());
  return new CasesService(audit, new SignInIdentities(audit, sessions, roles, keys));
}
