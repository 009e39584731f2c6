import { describe, expect, it } from 'vitest';
import type { FoundAccount, ObservedAccount } from '../../../connectors/kit/contract.js';
import { anObservedAccount } from '../../../test/factories/accounts.js';
import { decideAfterLook, growCut, sortFound, type FoundByLook, type KnownAccount } from './grow-plan.js';

const ada = { username: 'ada', email: 'ada@acme.example' };

function found(account: Partial<ObservedAccount>, matchedBy: FoundAccount['matchedBy'] = 'username'): FoundAccount {
  return { account: anObservedAccount(account), matchedBy };
}

function known(with_: Partial<KnownAccount> = {}): KnownAccount {
  return { id: 'known', externalId: null, mark: 'qm:ada', isDoubtful: false, ...with_ };
}

function sort(
  one: FoundAccount,
  accounts: readonly KnownAccount[] = [],
  ownPrincipal: string | null = null,
): FoundByLook {
  return sortFound([one], accounts, ada, ownPrincipal);
}

describe('sortFound', () => {
  it('finds nothing in nothing', () => {
    expect(sortFound([], [known()], ada, null)).toEqual({ located: [], adopted: [], doubtful: [], usable: [] });
  });

  it('knows an account by its stable id, whatever it is called by now', () => {
    const renamed = found({ externalId: 'e1', username: 'someone-else', email: null }, 'email');
    expect(sort(renamed, [known({ externalId: 'e1' })])).toEqual({
      located: [],
      adopted: [],
      doubtful: [],
      usable: [renamed],
    });
  });

  it('takes an account with the mark of a create whose answer was lost for the account of that create', () => {
    const left = found({ externalId: 'e1', mark: 'qm:ada' }, 'mark');
    expect(sort(left, [known()])).toMatchObject({
      located: [{ accountId: 'known', found: left }],
      adopted: [],
      doubtful: [],
      usable: [left],
    });
  });

  it('cuts what a lost create left behind although the look met it under another name', () => {
    const left = found({ externalId: 'e1', mark: 'qm:ada', username: 'ada.2', email: null }, 'username');
    expect(sort(left, [known()])).toMatchObject({ located: [{ accountId: 'known' }], doubtful: [], usable: [left] });
  });

  it('takes a second account with our mark for theirs, too', () => {
    const double = found({ externalId: 'e2', mark: 'qm:ada' }, 'mark');
    expect(sort(double, [known({ externalId: 'e1' })])).toMatchObject({
      located: [],
      adopted: [double],
      usable: [double],
    });
  });

  it('takes an account with both the user name and the corporate address for theirs; capitals do not matter', () => {
    const both = found({ username: 'ADA', email: 'Ada@Acme.example' });
    expect(sort(both)).toMatchObject({ adopted: [both], doubtful: [], usable: [both] });
  });

  it.each([
    ['the address alone', { username: 'adalovelace', email: 'ada@acme.example' }, 'email'],
    ['the user name alone', { username: 'ada', email: 'ada@elsewhere.example' }, 'username'],
    ['the user name, without any address', { username: 'ada', email: null }, 'username'],
  ] as const)('leaves an account with %s to a person, and does not cut it', (_what, account, matchedBy) => {
    const one = found(account, matchedBy);
    expect(sort(one)).toEqual({ located: [], adopted: [], doubtful: [one], usable: [] });
  });

  it('leaves it to a person again when an earlier look recorded it, until something proves it theirs', () => {
    const accounts = [known({ externalId: 'e1', isDoubtful: true })];
    const one = found({ externalId: 'e1', username: 'adalovelace', email: 'ada@acme.example' }, 'email');
    expect(sort(one, accounts)).toEqual({ located: [], adopted: [], doubtful: [one], usable: [] });
    const proven = found({ externalId: 'e1', username: 'ada', email: 'ada@acme.example' });
    expect(sort(proven, accounts)).toMatchObject({ doubtful: [], usable: [proven] });
  });

  it('never targets the account that the service itself uses, by name or by id, even with a mark on it', () => {
    const own = found({ externalId: 'e1', username: 'quartermaster', mark: 'qm:ada' }, 'mark');
    const nothing = { located: [], adopted: [], doubtful: [], usable: [] };
    expect(sort(own).usable).toHaveLength(1);
    expect(sort(own, [], 'quartermaster')).toEqual(nothing);
    expect(sort(own, [], 'e1')).toEqual(nothing);
  });

  it('counts a suspended account as usable while a session of it is open', () => {
    const account = { externalId: 'e1', state: 'suspended' as const };
    const accounts = [known({ externalId: 'e1' })];
    expect(sort(found(account), accounts).usable).toEqual([]);
    expect(sort(found({ ...account, sessions: { seen: true, live: 1 } }), accounts).usable).toHaveLength(1);
    const unseen = { seen: false, residualUntil: null, because: 'not listed' } as const;
    expect(sort(found({ ...account, sessions: unseen }), accounts).usable).toEqual([]);
  });
});

describe('decideAfterLook', () => {
  const [known1, adopted1] = [found({ externalId: 'e1' }), found({ externalId: 'e2' })];
  const all = { located: [], adopted: [adopted1], doubtful: [], usable: [known1, adopted1] };
  const nobody = () => false;

  it('cuts at the start what nobody knew, since what was known is being cut already', () => {
    expect(decideAfterLook('discover', all, 0, nobody)).toEqual({ cut: [adopted1] });
  });

  it('cuts at the end whatever still works', () => {
    expect(decideAfterLook('final_look', all, 1, nobody)).toEqual({ cut: [known1, adopted1] });
  });

  it.each(['discover', 'final_look'] as const)('leaves alone what a newer decision gave back (%s)', (act) => {
    expect(decideAfterLook(act, all, 1, () => true)).toEqual({ cut: [] });
  });

  it('leaves to a person what works again and again, and nothing that is wanted', () => {
    expect(decideAfterLook('final_look', all, 5, nobody)).toHaveProperty('cut');
    expect(decideAfterLook('final_look', all, 6, nobody)).toHaveProperty('giveUp');
    expect(decideAfterLook('final_look', all, 6, () => true)).toEqual({ cut: [] });
  });
});

describe('growCut', () => {
  const want = { toolId: 'tool', accountIds: ['a', 'b'], lookAgain: true, round: 2 };

  it('adds nothing when nothing was found', () => {
    expect(growCut({ ...want, accountIds: [] })).toEqual([]);
  });

  it('cuts each account, and looks once more when all of them are cut', () => {
    const plans = growCut(want);
    expect(plans.map(({ act, accountId }) => [act, accountId])).toEqual([
      ['suspend_account', 'a'],
      ['suspend_account', 'b'],
      ['final_look', undefined],
    ]);
    expect(plans[2]?.needs).toEqual([plans[0]?.key, plans[1]?.key]);
    expect(plans.every(({ toolId }) => toolId === 'tool')).toBe(true);
  });

  it('leaves the last look to the one that is planned already, when told so', () => {
    expect(growCut({ ...want, lookAgain: false }).map(({ act }) => act)).toEqual([
      'suspend_account',
      'suspend_account',
    ]);
  });

  it('never gives two rounds the same keys', () => {
    const keys = [...growCut(want), ...growCut({ ...want, round: 3 })].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
