import type { ActResult, FoundAccount, GrantRef, ObservedAccount } from '../../connectors/kit/contract.js';
import type { ToolErrorKind } from '../../connectors/kit/errors.js';
import type { StepAct } from '../../src/cases/step-states.js';

/** An account as it is at the tool, whatever anybody believes. */
export interface WorldAccount {
  externalId: string;
  username: string;
  mark: string | null;
  email: string | null;
  active: boolean;
  sessions: number;
  grants: string[];
  version: number;
  /** Its credentials' version when it was last suspended; what works afterwards must be newer. */
  versionWhenCut: number | null;
  /** Somebody at the tool changed it by hand at this time; null: nobody did. */
  outsiderAt: number | null;
}

export interface ToolTraits {
  /** Refuses a second account with the same user name. */
  uniqueNames: boolean;
  showsSessions: boolean;
  showsGrants: boolean;
}

export interface WantedAct {
  act: StepAct;
  externalId: string | null;
  mark: string;
  username: string;
  email: string;
  grant: GrantRef | null;
  /** A create looks for its own mark first, as the connector's contract asks; this is what it saw before it was sent. */
  found: boolean;
}

export interface Refused {
  kind: ToolErrorKind;
  message: string;
}

export interface Whose {
  mark: string;
  username: string;
  email: string;
}

/** What a tool holds and does, without time or faults: shared by the simulation and the run against the real engine. */
export class ToolWorld {
  readonly accounts: WorldAccount[] = [];

  constructor(
    readonly name: string,
    readonly traits: ToolTraits,
  ) {}

  add(account: Partial<WorldAccount> & Pick<WorldAccount, 'username'>): WorldAccount {
    const added: WorldAccount = {
      externalId: `${this.name}/${this.accounts.length + 1}`,
      mark: null,
      email: null,
      active: true,
      sessions: 0,
      grants: [],
      version: 1,
      versionWhenCut: null,
      outsiderAt: null,
      ...account,
    };
    this.accounts.push(added);
    return added;
  }

  has(mark: string): boolean {
    return this.accounts.some((account) => account.mark === mark);
  }

  carryOut(want: WantedAct): ActResult | Refused {
    if (want.act === 'create_account') return this.create(want);
    const account = this.accounts.find(({ externalId }) => externalId === want.externalId);
    if (!account) return { kind: 'not-found', message: 'There is no such account.' };
    switch (want.act) {
      case 'suspend_account':
        if (account.active) account.versionWhenCut = account.version;
        account.active = false;
        account.sessions = 0;
        return done(null);
      case 'restore_account':
        account.active = true;
        return done(null);
      case 'reset_credentials':
        account.version += 1;
        account.sessions = 0;
        return done({ credentialVersion: `v${account.version}` });
      case 'grant':
        if (want.grant && !account.grants.includes(want.grant.name)) account.grants.push(want.grant.name);
        return done(null);
      case 'withdraw':
        account.grants = account.grants.filter((name) => name !== want.grant?.name);
        return done(null);
      case 'revoke_device':
        return { kind: 'unsupported', message: 'Devices can’t be told apart here.' };
      case 'discover':
      case 'final_look':
        return { kind: 'invalid', message: 'A look is no act.' };
    }
  }

  private create({ mark, username, email, found }: WantedAct): ActResult | Refused {
    const own = found ? this.accounts.find((account) => account.mark === mark) : undefined;
    if (own) return { outcome: 'already', value: { credentialVersion: `v${own.version}` }, sideEffects: [] };
    if (this.traits.uniqueNames && this.accounts.some((account) => account.username === username)) {
      return { kind: 'conflict', message: 'This user name is taken.' };
    }
    const made = this.add({ username, mark, email });
    return done({ externalId: made.externalId, username, credentialVersion: 'v1' });
  }

  get(externalId: string): ObservedAccount | null {
    const account = this.accounts.find((one) => one.externalId === externalId);
    return account ? this.show(account) : null;
  }

  find({ mark, username, email }: Whose): FoundAccount[] {
    const found: FoundAccount[] = [];
    for (const account of this.accounts) {
      if (account.mark === mark) found.push({ account: this.show(account), matchedBy: 'mark' });
      else if (account.username === username) found.push({ account: this.show(account), matchedBy: 'username' });
      else if (account.email === email) found.push({ account: this.show(account), matchedBy: 'email' });
    }
    return found;
  }

  /** Those that are provably a person's: by mark, or by both user name and corporate address. */
  of(whose: Whose): WorldAccount[] {
    return this.accounts.filter(
      ({ mark, username, email }) => mark === whose.mark || (username === whose.username && email === whose.email),
    );
  }

  private show(account: WorldAccount): ObservedAccount {
    const { externalId, username, mark, email, active, sessions, version } = account;
    return {
      externalId,
      username,
      mark,
      email,
      state: active ? 'active' : 'suspended',
      sessions: this.traits.showsSessions
        ? { seen: true, live: sessions }
        : { seen: false, residualUntil: null, because: 'it has no list of sessions' },
      credentials: { seen: true, live: 0 },
      credentialVersion: `v${version}`,
      ...(this.traits.showsGrants && { grants: account.grants.map((name): GrantRef => ({ kind: 'group', name })) }),
    };
  }
}

export function isUsable({ active, sessions }: WorldAccount): boolean {
  return active || sessions > 0;
}

function done(value: unknown): ActResult {
  return { outcome: 'done', value, sideEffects: [] };
}
