import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { capabilitiesOf, supports } from './capabilities.js';
import {
  CAPABILITIES,
  type AccountPage,
  type AccountRef,
  type Capability,
  type ComputerPage,
  type Connector,
  type CreatedAccount,
  type GrantRef,
  type LiveThings,
  type NewAccount,
  type ObservedAccount,
  type ObservedComputer,
  type ToolConnection,
  type ToolSession,
} from './contract.js';
import { callWithin } from './deadline.js';
import { ToolError, type ToolErrorKind } from './errors.js';

/** Something of a person's that is live at the tool: an open connection, or a token that works. */
export interface LiveAccess {
  works(): Promise<boolean>;
  end(): Promise<void>;
}

/** What the suite needs to know of a tool. Everything here goes around the connector, straight to the tool. */
export interface ConformanceFixture<Settings = unknown> {
  /** Settings and secrets that work, with every permission. */
  good: Omit<ToolConnection<Settings>, 'call'>;
  /** The same with secrets that the tool doesn't accept. */
  wrongSecrets: Readonly<Record<string, string>>;
  /** Signs in at the tool as the person; null when the tool refuses. */
  signIn(username: string, password: string): Promise<LiveAccess | null>;
  /** How the tool shows a user name to its own administrator; null when there is no such account. */
  observe(username: string): Promise<AccountAtTool | null>;
  /** The account that the connector's own credentials belong to. */
  ownPrincipal(): Promise<AccountRef>;
  /** A group that is there and may be granted; needed when the connector declares `grant`. */
  group: GrantRef;
  /** Makes two accounts with this mark behind the connector's back. */
  makeTwoWithMark(mark: string): Promise<void>;
  /** The longest a tool may take to refuse what was ended, in milliseconds. Default 5,000. */
  patienceMs?: number;
  /** An account that is there already; needed when the connector makes none itself. */
  existing?(): Promise<AccountRef & { email: string }>;
  /** All computers there are: some encrypted, some not, some of which the tool knows nothing; for a device manager. */
  computers?(): Promise<readonly ComputerAtTool[]>;
}

/** A computer as the tool's own administrator sees it. */
export interface ComputerAtTool {
  externalId: string;
  serial: string | null;
  /** Null: the tool knows nothing of its disk. */
  isEncrypted: boolean | null;
}

/** An account as the tool's own administrator sees it. */
export interface AccountAtTool {
  externalId: string;
  state: 'active' | 'suspended';
  /** The names of its groups. */
  groups: readonly string[];
}

export interface ConformanceCheck {
  /** Reads as a sentence about the connector. */
  name: string;
  /** Throws when the promise isn't kept. */
  run: () => Promise<void>;
}

/**
 * The promises that every connector to an API has to keep, each as a check of its own on accounts of its own, to be
 * run in this order (the last one looks at what the others used). Knows no test runner:
 *
 *     for (const check of conformanceChecks(connector, () => fixture)) it(check.name, check.run);
 *
 * The connector's declared capabilities decide which checks there are; the fixture is asked for when a check runs, so
 * that a `beforeAll` can make it.
 */
export function conformanceChecks<Settings>(
  connector: Connector<Settings>,
  fixture: () => ConformanceFixture<Settings>,
): readonly ConformanceCheck[] {
  const suite = new ConformanceSuite(connector, fixture);
  return suite.checks();
}

class ConformanceSuite<Settings> {
  private readonly exercised = new Set<Capability>();

  constructor(
    private readonly connector: Connector<Settings>,
    private readonly fixture: () => ConformanceFixture<Settings>,
  ) {}

  checks(): readonly ConformanceCheck[] {
    return [
      this.check(['check'], 'says who it is and misses no permission when it has them all', () => this.saysWhoItIs()),
      this.check(['check'], 'answers wrong credentials with auth-broken', () => this.refusesWrongCredentials()),
      this.check(['createAccount'], 'sends nothing once the call’s time is over', () => this.sendsNothingWhenOver()),
      this.check(['createAccount'], 'creates an account that was absent and that its person can sign in to', () =>
        this.creates(),
      ),
      this.check(['createAccount'], 'answers a repeated create with the account that is there', () =>
        this.createsOnce(),
      ),
      this.check(['createAccount'], 'makes one account when two creates of one mark race', () =>
        this.createsOnceInARace(),
      ),
      this.check(['createAccount'], 'refuses to create when the user name is somebody else’s', () =>
        this.refusesTakenName(),
      ),
      this.check(['createAccount'], 'refuses to choose between two accounts with one mark', () =>
        this.refusesTwoMatches(),
      ),
      this.check(['createAccount'], 'takes hostile names as they are, or refuses them and makes nothing', () =>
        this.takesHostileNames(),
      ),
      this.check(['listAccounts'], 'lists every account once, and says so only on the last page', () =>
        this.listsEverything(),
      ),
      this.check(['suspendAccount'], 'suspends: no sign-in, and what was live ends', () => this.suspends()),
      this.check(
        ['suspendAccount', 'restoreAccount', 'resetCredentials'],
        'restores after a reset, and what was issued before stays dead',
        () => this.restores(),
      ),
      this.check(
        ['resetCredentials'],
        'resets credentials: the old ones are dead, the new ones work, and it can be read back',
        () => this.resets(),
      ),
      this.check(
        ['resetCredentials', 'suspendAccount'],
        'leaves a suspended account suspended when it resets its credentials',
        () => this.resetsSuspended(),
      ),
      this.check(['revokeAccess'], 'revokes access: what was live ends, and the account stays', () => this.revokes()),
      this.check(['grant', 'withdraw'], 'grants and withdraws, and shows it', () => this.grantsAndWithdraws()),
      this.check(['grant'], 'refuses a group that isn’t there', () => this.refusesUnknownGroup()),
      this.check(['removeAccount'], 'removes, and answers a repeated removal with already', () => this.removes()),
      this.check(['createAccount'], 'keeps an account’s stable id through everything', () => this.keepsStableId()),
      this.check(['removeAccount'], 'answers an act on an account that isn’t there with not-found', () =>
        this.answersNotFound(),
      ),
      this.check(['suspendAccount'], 'never acts on its own principal', () => this.refusesOwnPrincipal()),
      supports(this.connector, 'createAccount')
        ? null
        : this.check([], 'finds an account that is there, and none that isn’t', () => this.findsWhatIsThere()),
      this.check(['readDiskEncryption'], 'lists every computer once, and says so only on the last page', () =>
        this.listsComputers(),
      ),
      this.check(['readDiskEncryption'], 'tells of a disk what is known, and never “no” where nothing is', () =>
        this.tellsOfDisks(),
      ),
      this.check(['readDeviceStatus'], 'tells where a computer stands, and that one isn’t there', () =>
        this.tellsDeviceStatus(),
      ),
      this.check(['lockComputer'], 'hands an order over once, and shows it as pending or done, not as nothing', () =>
        this.handsOrdersOver(),
      ),
      this.check([], 'implements exactly what it declares, and all of it was exercised', () =>
        this.exercisesEverything(),
      ),
    ].flatMap((check) => check ?? []);
  }

  private check(needs: readonly Capability[], name: string, promise: () => Promise<void>): ConformanceCheck | null {
    if (!needs.every((capability) => supports(this.connector, capability))) return null;
    return { name, run: promise };
  }

  private async saysWhoItIs(): Promise<void> {
    const report = await this.once((session) => session.check());
    const own = await this.fixture().ownPrincipal();
    assert.equal(report.principal, own.username);
    assert.deepEqual(report.missing, []);
  }

  private async refusesWrongCredentials(): Promise<void> {
    const { good, wrongSecrets } = this.fixture();
    await failsWith(['auth-broken'], async () => {
      const session = await this.open({ ...good, secrets: wrongSecrets });
      await session.check().finally(() => session.close());
    });
  }

  private async sendsNothingWhenOver(): Promise<void> {
    const want = newAccount();
    await failsWith(['transient'], async () => {
      const { good } = this.fixture();
      const call = { signal: AbortSignal.abort(), deadline: new Date(Date.now() - 1), attemptId: randomUUID() };
      const session = await this.connector.open({ ...good, call });
      await session.createAccount?.(want).finally(() => session.close());
    });
    assert.equal(await this.fixture().observe(want.username), null);
  }

  private async creates(): Promise<void> {
    const want = newAccount();
    assert.equal(await this.fixture().observe(want.username), null, 'the tool already had the account');
    assert.deepEqual(await this.find(want), []);

    const created = await this.create(want);

    assert.equal((await this.fixture().observe(want.username))?.state, 'active');
    const account = await this.look(created);
    assert.equal(account?.state, 'active');
    assert.equal(account?.mark, want.mark);
    assert.equal(account?.credentialVersion, created.credentialVersion);
    const [found, ...others] = await this.find(want);
    assert.deepEqual(others, []);
    assert.equal(found?.matchedBy, 'mark');
    assert.equal(found?.account.externalId, created.externalId);
    assert.ok(await this.canSignIn(want, want.password), 'the person can’t sign in');
    assert.ok(!(await this.canSignIn(want, newPassword())), 'any password works');
  }

  private async createsOnce(): Promise<void> {
    const want = newAccount();
    const first = await this.create(want);
    const again = await this.act('createAccount', (session) =>
      session.createAccount?.({ ...want, password: newPassword() }),
    );
    assert.equal(again.outcome, 'already');
    assert.ok('value' in again);
    assert.equal((again.value as CreatedAccount).externalId, first.externalId);
    assert.equal((await this.find(want)).length, 1);
    assert.ok(await this.canSignIn(want, want.password), 'the repeated create changed the password');
  }

  private async createsOnceInARace(): Promise<void> {
    const want = newAccount();
    const attempts = await Promise.allSettled([this.create(want), this.create(want)]);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') assertToolError(attempt.reason, ['conflict']);
    }
    assert.ok(
      attempts.some(({ status }) => status === 'fulfilled'),
      'no create succeeded',
    );
    assert.equal((await this.find(want)).length, 1);
  }

  private async refusesTakenName(): Promise<void> {
    const first = newAccount();
    await this.create(first);
    const second = { ...newAccount(), username: first.username };
    await failsWith(['conflict'], () => this.create(second));
    assert.ok(await this.canSignIn(first, first.password));
    assert.deepEqual(
      (await this.find(second)).map(({ matchedBy }) => matchedBy),
      ['username'],
    );
  }

  private async refusesTwoMatches(): Promise<void> {
    const want = newAccount();
    await this.fixture().makeTwoWithMark(want.mark);
    assert.equal((await this.find(want)).length, 2);
    await failsWith(['conflict'], () => this.create(want));
    assert.equal(await this.fixture().observe(want.username), null);
  }

  private async takesHostileNames(): Promise<void> {
    for (const name of HOSTILE_NAMES) {
      const suffix = randomBytes(4).toString('hex');
      const holder = { givenName: name, familyName: name, displayName: name };
      const want = newAccount({ username: `${name}-${suffix}`, holder });
      try {
        const created = await this.create(want);
        assert.equal(created.username, want.username);
        assert.equal((await this.look(created))?.username, want.username);
        assert.deepEqual(
          (await this.find(want)).map(({ account }) => account.externalId),
          [created.externalId],
        );
      } catch (error) {
        assertToolError(error, ['invalid']);
        assert.equal(await this.fixture().observe(want.username), null);
      }
    }
  }

  private async listsEverything(): Promise<void> {
    const created = await this.create(newAccount());
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const cursor: string | null = next;
      const page: AccountPage = await this.once((session) => must(session.listAccounts?.(cursor)), ['listAccounts']);
      assert.equal(
        page.complete,
        page.next === null,
        'a page before the last says it is complete, or the last doesn’t',
      );
      seen.push(...page.accounts.map(({ externalId }) => externalId));
      next = page.next;
    } while (next !== null);
    assert.equal(new Set(seen).size, seen.length, 'an account was listed twice');
    assert.ok(seen.includes(created.externalId));
  }

  private async suspends(): Promise<void> {
    const { want, ref, live } = await this.createdAndSignedIn();
    const first = await this.act('suspendAccount', (session) => session.suspendAccount?.(ref));
    assert.equal(first.outcome, 'done');
    await this.isDead(live, 'what was live before the suspension');
    assert.ok(!(await this.canSignIn(want, want.password)), 'a suspended person can sign in');
    assert.equal((await this.fixture().observe(want.username))?.state, 'suspended');
    const account = await this.look(ref);
    assert.equal(account?.state, 'suspended');
    assertNothingLive(account?.sessions);
    const again = await this.act('suspendAccount', (session) => session.suspendAccount?.(ref));
    assert.equal(again.outcome, 'already');
  }

  private async restores(): Promise<void> {
    const { want, ref, live } = await this.createdAndSignedIn();
    const password = newPassword();
    await this.act('suspendAccount', (session) => session.suspendAccount?.(ref));
    await this.act('resetCredentials', (session) => session.resetCredentials?.(ref, password));
    const first = await this.act('restoreAccount', (session) => session.restoreAccount?.(ref));
    assert.equal(first.outcome, 'done');
    assert.equal((await this.look(ref))?.state, 'active');
    assert.ok(await this.canSignIn(want, password), 'the new password doesn’t work');
    assert.ok(!(await this.canSignIn(want, want.password)), 'the old password works again');
    await this.isDead(live, 'what was live before the suspension');
    const again = await this.act('restoreAccount', (session) => session.restoreAccount?.(ref));
    assert.equal(again.outcome, 'already');
  }

  private async resets(): Promise<void> {
    const { want, ref, live } = await this.createdAndSignedIn();
    const before = (await this.look(ref))?.credentialVersion ?? null;
    const password = newPassword();
    const result = await this.act('resetCredentials', (session) => session.resetCredentials?.(ref, password));
    assert.equal(result.outcome, 'done');
    assert.ok('value' in result);
    const { credentialVersion } = result.value as { credentialVersion: string | null };
    if (credentialVersion !== null) {
      assert.notEqual(credentialVersion, before, 'the version didn’t change with the credentials');
      assert.equal((await this.look(ref))?.credentialVersion, credentialVersion);
    }
    await this.isDead(live, 'what was live before the reset');
    assert.ok(!(await this.canSignIn(want, want.password)), 'the old password still works');
    assert.ok(await this.canSignIn(want, password), 'the new password doesn’t work');
  }

  private async resetsSuspended(): Promise<void> {
    const { want, ref } = await this.createdAndSignedIn();
    const password = newPassword();
    await this.act('suspendAccount', (session) => session.suspendAccount?.(ref));
    await this.act('resetCredentials', (session) => session.resetCredentials?.(ref, password));
    assert.equal((await this.look(ref))?.state, 'suspended');
    assert.ok(!(await this.canSignIn(want, password)), 'a reset let a suspended person in');
  }

  private async revokes(): Promise<void> {
    const { want, ref, live } = await this.createdAndSignedIn();
    const first = await this.act('revokeAccess', (session) => session.revokeAccess?.(ref));
    assert.equal(first.outcome, 'done');
    await this.isDead(live, 'what was live');
    const account = await this.look(ref);
    assert.equal(account?.state, 'active');
    assertNothingLive(account?.sessions);
    assert.ok(await this.canSignIn(want, want.password), 'the account was changed');
  }

  private async grantsAndWithdraws(): Promise<void> {
    const { group } = this.fixture();
    const want = newAccount();
    const ref = await this.create(want);
    const holds = async () => {
      const shown = ((await this.look(ref))?.grants ?? []).some(({ name }) => name === group.name);
      const atTool = (await this.fixture().observe(want.username))?.groups.includes(group.name);
      assert.equal(shown, atTool, 'the connector shows other groups than the tool');
      return shown;
    };
    assert.equal(await holds(), false);
    assert.equal((await this.act('grant', (session) => session.grant?.(ref, group))).outcome, 'done');
    assert.equal(await holds(), true);
    assert.equal((await this.act('grant', (session) => session.grant?.(ref, group))).outcome, 'already');
    assert.equal((await this.act('withdraw', (session) => session.withdraw?.(ref, group))).outcome, 'done');
    assert.equal(await holds(), false);
    assert.equal((await this.act('withdraw', (session) => session.withdraw?.(ref, group))).outcome, 'already');
  }

  private async refusesUnknownGroup(): Promise<void> {
    const ref = await this.create(newAccount());
    const unknown = { ...this.fixture().group, name: `no such "group" ${randomUUID()}` };
    await failsWith(['invalid', 'not-found'], () => this.act('grant', (session) => session.grant?.(ref, unknown)));
  }

  private async removes(): Promise<void> {
    const { want, ref, live } = await this.createdAndSignedIn();
    assert.notEqual(await this.fixture().observe(want.username), null);
    const first = await this.act('removeAccount', (session) => session.removeAccount?.(ref));
    assert.equal(first.outcome, 'done');
    await this.isDead(live, 'what was live before the removal');
    assert.equal(await this.fixture().observe(want.username), null);
    assert.equal(await this.look(ref), null);
    assert.deepEqual(await this.find(want), []);
    const again = await this.act('removeAccount', (session) => session.removeAccount?.(ref));
    assert.equal(again.outcome, 'already');
  }

  private async keepsStableId(): Promise<void> {
    const want = newAccount();
    const ref = await this.create(want);
    const acts: [Capability, (session: ToolSession) => Promise<unknown> | undefined][] = [
      ['suspendAccount', (session) => session.suspendAccount?.(ref)],
      ['resetCredentials', (session) => session.resetCredentials?.(ref, newPassword())],
      ['restoreAccount', (session) => session.restoreAccount?.(ref)],
    ];
    for (const [capability, act] of acts) {
      if (!supports(this.connector, capability)) continue;
      await this.once((session) => must(act(session)), [capability]);
      assert.deepEqual(
        (await this.find(want)).map(({ account }) => account.externalId),
        [ref.externalId],
      );
      assert.equal((await this.fixture().observe(want.username))?.externalId, ref.externalId);
    }
  }

  private async answersNotFound(): Promise<void> {
    const ref = await this.create(newAccount());
    await this.act('removeAccount', (session) => session.removeAccount?.(ref));
    for (const [capability, act] of this.acts(ref)) {
      // What is gone has no grants and can't be removed again: both are `already`.
      if (capability === 'removeAccount' || capability === 'withdraw') {
        assert.equal((await this.act(capability, act)).outcome, 'already');
      } else await failsWith(['not-found'], () => this.act(capability, act));
    }
  }

  private async refusesOwnPrincipal(): Promise<void> {
    const own = await this.fixture().ownPrincipal();
    const before = await this.fixture().observe(own.username);
    assert.equal(before?.externalId, own.externalId, 'the fixture’s own principal isn’t there');
    const refused = this.acts(own);
    assert.ok(refused.length > 0);
    for (const [capability, act] of refused) {
      if (capability === 'withdraw') continue;
      await failsWith(['forbidden', 'invalid'], () => this.act(capability, act));
      assert.deepEqual(await this.fixture().observe(own.username), before);
    }
    await this.once((session) => session.check());
  }

  private async findsWhatIsThere(): Promise<void> {
    const there = await given(this.fixture().existing?.(), 'existing');
    const found = await this.find(newAccount({ holder: { email: there.email } }));
    assert.deepEqual(
      found.map(({ account, matchedBy }) => [account.externalId, matchedBy]),
      [[there.externalId, 'email']],
    );
    assert.equal((await this.look(there))?.email, there.email);
    assert.deepEqual(await this.find(newAccount()), []);
    assert.equal(await this.look({ externalId: '999999999', username: 'nobody' }), null);
  }

  private async listsComputers(): Promise<void> {
    const there = await given(this.fixture().computers?.(), 'computers');
    assert.ok(there.length > 1);
    const seen: ObservedComputer[] = [];
    let next: string | null = null;
    do {
      const cursor: string | null = next;
      const page: ComputerPage = await this.once((session) => must(session.listComputers?.(cursor)), ['listComputers']);
      assert.equal(
        page.complete,
        page.next === null,
        'a page before the last says it is complete, or the last doesn’t',
      );
      seen.push(...page.computers);
      next = page.next;
    } while (next !== null);
    assert.equal(seen.length, there.length, 'a computer is missing, or was listed twice');
    const serials = new Map(seen.map(({ externalId, serial }) => [externalId, serial]));
    for (const { externalId, serial } of there) assert.equal(serials.get(externalId), serial);
  }

  private async tellsOfDisks(): Promise<void> {
    const there = await given(this.fixture().computers?.(), 'computers');
    for (const state of [true, false, null]) {
      assert.ok(
        there.some(({ isEncrypted }) => isEncrypted === state),
        'the fixture lacks a kind of disk',
      );
    }
    const read = (id: string) => this.once((session) => must(session.readDiskEncryption?.(id)), ['readDiskEncryption']);
    for (const { externalId, isEncrypted } of there) {
      const seen = await read(externalId);
      assert.equal(seen.state, isEncrypted === null ? 'unknown' : isEncrypted ? 'encrypted' : 'not_encrypted');
      if (isEncrypted === null) assert.ok(seen.why, 'it doesn’t say why nothing is known');
    }
    await failsWith(['not-found'], () => read('999999999'));
  }

  private async tellsDeviceStatus(): Promise<void> {
    const read = (id: string) => this.once((session) => must(session.readDeviceStatus?.(id)), ['readDeviceStatus']);
    const [first] = await given(this.fixture().computers?.(), 'computers');
    const status = await read(first?.externalId ?? '');
    assert.equal(status.pending, null);
    assert.deepEqual(status.requests, []);
    await failsWith(['not-found'], () => read('999999999'));
  }

  private async handsOrdersOver(): Promise<void> {
    const [first] = await given(this.fixture().computers?.(), 'computers');
    const id = first?.externalId ?? '';
    const read = () => this.once((session) => must(session.readDeviceStatus?.(id)), ['readDeviceStatus']);
    const lock = (which: string) => this.once((session) => must(session.lockComputer?.(which)), ['lockComputer']);
    assert.equal((await read()).state, 'unlocked', 'the fixture’s first computer is to be one that can be locked');
    await lock(id);
    const status = await read();
    assert.ok(status.pending === 'lock' || status.state === 'locked', 'the order isn’t shown');
    await lock(id);
    assert.equal((await read()).requests.length, status.requests.length, 'the order was given twice');
    await failsWith(['not-found'], () => lock('999999999'));
  }

  private async exercisesEverything(): Promise<void> {
    const declared = capabilitiesOf(this.connector).map(({ capability }) => capability);
    const session = await this.open();
    const implemented = CAPABILITIES.filter((capability) => typeof session[capability] === 'function');
    await session.close();
    assert.deepEqual(implemented, declared);
    const missed = declared.filter((name) => !this.exercised.has(name) && !NEED_TESTS_OF_THEIR_OWN.includes(name));
    assert.deepEqual(missed, [], 'the suite didn’t use these');
  }

  /** Every act that changes an account which is there, as far as the connector declares it. */
  private acts(
    ref: AccountRef,
  ): readonly (readonly [Capability, (session: ToolSession) => Promise<ActOutcome> | undefined])[] {
    const { group } = this.fixture();
    const acts = [
      ['suspendAccount', (session: ToolSession) => session.suspendAccount?.(ref)],
      ['resetCredentials', (session: ToolSession) => session.resetCredentials?.(ref, newPassword())],
      ['restoreAccount', (session: ToolSession) => session.restoreAccount?.(ref)],
      ['revokeAccess', (session: ToolSession) => session.revokeAccess?.(ref)],
      ['revokeDevice', (session: ToolSession) => session.revokeDevice?.(ref, 'no-such-device')],
      [
        'issueCertificate',
        (session: ToolSession) =>
          session.issueCertificate?.(ref, { publicKey: SOME_PUBLIC_KEY, deviceExternalId: 'no-such-device' }),
      ],
      ['grant', (session: ToolSession) => session.grant?.(ref, group)],
      ['withdraw', (session: ToolSession) => session.withdraw?.(ref, group)],
      ['removeAccount', (session: ToolSession) => session.removeAccount?.(ref)],
    ] as const;
    return acts.filter(([capability]) => supports(this.connector, capability));
  }

  /** Each look and each act is a conversation on a connection of its own. */
  private async once<T>(
    work: (session: ToolSession) => Promise<T>,
    uses: readonly Capability[] = ['check'],
  ): Promise<T> {
    const session = await this.open();
    try {
      return await work(session);
    } finally {
      for (const capability of uses) this.exercised.add(capability);
      await session.close();
    }
  }

  private open(connection: Omit<ToolConnection<Settings>, 'call'> = this.fixture().good): Promise<ToolSession> {
    return this.connector.open({ ...connection, call: callWithin(CALL_MS) });
  }

  private act(
    capability: Capability,
    act: (session: ToolSession) => Promise<ActOutcome> | undefined,
  ): Promise<ActOutcome> {
    return this.once((session) => must(act(session)), [capability]);
  }

  private async create(want: NewAccount): Promise<CreatedAccount> {
    const result = await this.once((session) => must(session.createAccount?.(want)), ['createAccount']);
    assert.ok(result.outcome === 'done' || result.outcome === 'already', `createAccount answered ${result.outcome}`);
    const atTool = await this.fixture().observe(want.username);
    assert.ok(atTool, 'the tool doesn’t have what was created');
    assert.equal(result.value?.externalId, atTool.externalId);
    return result.value;
  }

  private look(ref: AccountRef): Promise<ObservedAccount | null> {
    return this.once((session) => session.getAccount(ref), ['getAccount']);
  }

  private find({ mark, username, holder }: NewAccount) {
    return this.once((session) => session.findAccounts({ mark, username, email: holder.email }), ['findAccounts']);
  }

  private async createdAndSignedIn(): Promise<{ want: NewAccount; ref: CreatedAccount; live: LiveAccess }> {
    const want = newAccount();
    const ref = await this.create(want);
    const live = await this.fixture().signIn(want.username, want.password);
    assert.ok(live, 'the new account can’t sign in');
    assert.ok(await live.works(), 'the new sign-in doesn’t work');
    return { want, ref, live };
  }

  private async canSignIn({ username }: NewAccount, password: string): Promise<boolean> {
    const live = await this.fixture().signIn(username, password);
    await live?.end();
    return live !== null;
  }

  private async isDead(live: LiveAccess, what: string): Promise<void> {
    const until = Date.now() + (this.fixture().patienceMs ?? 5_000);
    while (await live.works()) {
      assert.ok(Date.now() < until, `${what} still works`);
      await new Promise((resume) => setTimeout(resume, 20));
    }
    await live.end();
  }
}

type ActOutcome = { outcome: string; value?: unknown };

const CALL_MS = 15_000;

/** What few tools have, and no two of them in the same way: the connector's own tests show them. */
const NEED_TESTS_OF_THEIR_OWN: readonly Capability[] = [
  'revokeDevice',
  'issueCertificate',
  'getLockdown',
  'lockDown',
  'liftLockdown',
  'listComputers',
  'listRecoveryKeys',
  'revealRecoveryKey',
  'unlockComputer',
  'wipeComputer',
];

/** Of a key that nobody has. */
const SOME_PUBLIC_KEY = `ssh-ed25519 ${Buffer.concat([
  Buffer.from([0, 0, 0, 11]),
  Buffer.from('ssh-ed25519'),
  Buffer.from([0, 0, 0, 32]),
  randomBytes(32),
]).toString('base64')}`;

/** What people are really called, what attackers are called, and what doesn't fit. */
const HOSTILE_NAMES = [
  `o'brien"; DROP ROLE postgres; --`,
  `back\\slash "quoted" 'single' $$dollar$$ %I {json}`,
  '李小龍 🦊 Ünïcödé',
  '(|(uid=*)) and userName pr or "x" eq "x',
  'n'.repeat(300),
];

function newAccount(differing: { username?: string; holder?: Partial<NewAccount['holder']> } = {}): NewAccount {
  const name = `ada-${randomBytes(5).toString('hex')}`;
  return {
    mark: `qm:${randomUUID()}`,
    username: differing.username ?? name,
    holder: {
      personId: randomUUID(),
      givenName: 'Ada',
      familyName: 'Lovelace',
      displayName: 'Ada Lovelace',
      email: `${name}@corp.example`,
      ...differing.holder,
    },
    password: newPassword(),
  };
}

/** Of each kind that password rules ask for, and with no part of anybody's name in it, which directories refuse. */
function newPassword(): string {
  return `Qx-${randomBytes(8).readBigUInt64BE()}`;
}

/** A declared act that has no method fails the check that wanted it. */
function must<T>(promise: Promise<T> | undefined): Promise<T> {
  assert.ok(promise, 'a declared capability has no method');
  return promise;
}

/** What a connector's own capabilities ask of its fixture. */
function given<T>(promise: Promise<T> | undefined, what: keyof ConformanceFixture): Promise<T> {
  assert.ok(promise, `the fixture has no “${what}”`);
  return promise;
}

async function failsWith(kinds: readonly ToolErrorKind[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    return assertToolError(error, kinds);
  }
  assert.fail(`expected a ToolError (${kinds.join(' or ')}), but it succeeded`);
}

function assertToolError(error: unknown, kinds: readonly ToolErrorKind[]): void {
  assert.ok(error instanceof ToolError, `not a ToolError: ${String(error)}`);
  assert.ok(kinds.includes(error.kind), `expected ${kinds.join(' or ')}, got ${error.kind}: ${error.message}`);
  assert.match(error.message, /^\S.*[.:)]$/s, 'the message isn’t a sentence');
}

/** Nothing live is shown, or it is said plainly that it can't be seen and why. */
function assertNothingLive(sessions: LiveThings | undefined): void {
  assert.ok(sessions);
  if (sessions.seen) assert.equal(sessions.live, 0);
  else assert.match(sessions.because, /\S/);
}
