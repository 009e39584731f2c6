import { randomBytes, randomUUID } from 'node:crypto';
import { AndFilter, EqualityFilter, LessThanEqualsFilter, PresenceFilter, SubstringFilter } from 'ldapts';
import type { Capability, CheckReport } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { LdapClient, resultCodeOf, type LdapConnection } from '../kit/ldap-client.js';
import type { LdapGroups } from './groups.js';
import type { LdapSettings } from './manifest.js';

type Missing = CheckReport['missing'][number];

const PROBE = 'quartermaster-check-';

/**
 * What our own entry may not do. OpenLDAP tells nobody their rights and has no dry run, so an entry of nobody is made
 * below userBase, written to, locked, signed in to and deleted. That also shows what no right would: whether a lock
 * keeps anybody out, and whether passwords are stored hashed. Groups are asked to remove a member that isn't there.
 */
export async function missingPermissions(
  client: LdapClient,
  settings: LdapSettings,
  reach: LdapConnection,
  groups: LdapGroups,
): Promise<readonly Missing[]> {
  const probe = new Probe(client, settings, reach);
  return [...(await probe.missing()), ...(await missingOnGroups(settings, groups))];
}

class Probe {
  private readonly name = `${PROBE}${randomBytes(6).toString('hex')}`;
  private readonly dn: string;
  private readonly password = randomBytes(18).toString('base64url');

  constructor(
    private readonly client: LdapClient,
    private readonly settings: LdapSettings,
    private readonly reach: LdapConnection,
  ) {
    this.dn = `uid=${this.name},${settings.userBase}`;
  }

  async missing(): Promise<readonly Missing[]> {
    const { userBase, bindDn } = this.settings;
    const writing = `olcAccess: to dn.subtree="${userBase}" by dn.exact="${bindDn}" write`;
    const mayAdd = await isAllowed(() =>
      this.client.add(this.dn, {
        objectClass: ['inetOrgPerson'],
        uid: [this.name],
        cn: [this.name],
        sn: [this.name],
        userPassword: [this.password],
      }),
    );
    if (!mayAdd) {
      const acts = ['createAccount', 'suspendAccount', 'restoreAccount', 'removeAccount', 'resetCredentials'] as const;
      return missingFor(acts, `write to entry, children and attributes below ${userBase}`, writing);
    }
    try {
      return [...(await this.missingToRead()), ...(await this.missingToHash()), ...(await this.missingToLock())];
    } finally {
      await this.clear();
    }
  }

  private async missingToRead(): Promise<readonly Missing[]> {
    const entry = await this.client.read(this.dn, new PresenceFilter({ attribute: 'objectClass' }), ['entryUUID']);
    if (entry?.first('entryUUID')) return [];
    const { userBase, bindDn } = this.settings;
    const remedy = `olcAccess: to dn.subtree="${userBase}" by dn.exact="${bindDn}" write`;
    return missingFor(['listAccounts', 'findAccounts', 'getAccount'], `read below ${userBase}`, remedy);
  }

  /** A comparison sees what is stored: equal to the password itself means that it was stored in the clear. */
  private async missingToHash(): Promise<readonly Missing[]> {
    const isClear = await this.client.compare(this.dn, 'userPassword', this.password).catch(() => false);
    if (!isClear) return [];
    const remedy = 'olcPPolicyHashCleartext: TRUE (slapd.conf: ppolicy_hash_cleartext) on the ppolicy overlay';
    return missingFor(['createAccount', 'resetCredentials'], 'passwords hashed by the server', remedy);
  }

  private async missingToLock(): Promise<readonly Missing[]> {
    const acts = ['suspendAccount', 'restoreAccount'] as const;
    try {
      await this.client.modify(this.dn, [
        { operation: 'replace', attribute: 'pwdAccountLockedTime', values: ['000001010000Z'] },
      ]);
    } catch (error) {
      if (resultCodeOf(error) === UNDEFINED_ATTRIBUTE_TYPE) {
        return missingFor(acts, 'the ppolicy overlay', 'moduleload ppolicy and overlay ppolicy, with a default policy');
      }
      if (!(error instanceof ToolError && error.kind === 'forbidden')) throw error;
      const { userBase, bindDn } = this.settings;
      const remedy = `olcAccess: to dn.subtree="${userBase}" attrs=pwdAccountLockedTime by dn.exact="${bindDn}" write`;
      return missingFor(acts, 'write to pwdAccountLockedTime', remedy);
    }
    if (!(await this.signsIn())) return [];
    return missingFor(acts, 'a password policy that honours locks', 'pwdLockout: TRUE in the overlay’s default policy');
  }

  private async signsIn(): Promise<boolean> {
    try {
      await (await LdapClient.connect(this.reach, this.dn, this.password)).close();
      return true;
    } catch (error) {
      if (error instanceof ToolError && error.kind === 'auth-broken') return false;
      throw error;
    }
  }

  /** Removes the probe, and what a check left that was killed: older than an hour, so that no other check's is meant. */
  private async clear(): Promise<void> {
    await this.client.delete(this.dn);
    const anHourAgo = new Date(Date.now() - 3_600_000).toISOString().replace(/[-:T]|\.\d+/g, '');
    const left = new AndFilter({
      filters: [
        new SubstringFilter({ attribute: 'uid', initial: PROBE }),
        new EqualityFilter({ attribute: 'objectClass', value: 'inetOrgPerson' }),
        new LessThanEqualsFilter({ attribute: 'createTimestamp', value: anHourAgo }),
      ],
    });
    const base = this.settings.userBase;
    for (const { dn } of await this.client.search({ base, scope: 'one', filter: left, attributes: ['uid'] })) {
      await this.client.delete(dn);
    }
  }
}

async function missingOnGroups(settings: LdapSettings, groups: LdapGroups): Promise<readonly Missing[]> {
  const acts = ['grant', 'withdraw'] as const;
  if (!settings.groupBase) return missingFor(acts, 'the setting groupBase', 'Fill in groupBase.');
  const group = await groups.any();
  if (!group) {
    const permission = `read groups below ${settings.groupBase}`;
    return missingFor(acts, permission, `Make a ${settings.groupKind} there, or let ${settings.bindDn} read it.`);
  }
  const nobody = { dn: `uid=${randomUUID()},${settings.userBase}`, username: randomUUID() };
  if (await isAllowed(() => groups.tryToWrite(group, nobody))) return [];
  const remedy = `olcAccess: to dn.subtree="${settings.groupBase}" by dn.exact="${settings.bindDn}" write`;
  return missingFor(acts, `write to the members of groups below ${settings.groupBase}`, remedy);
}

const UNDEFINED_ATTRIBUTE_TYPE = 17;

async function isAllowed(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (error instanceof ToolError && error.kind === 'forbidden') return false;
    throw error;
  }
}

function missingFor(capabilities: readonly Capability[], permission: string, remedy: string): readonly Missing[] {
  return capabilities.map((capability) => ({ capability, permission, remedy }));
}
