import { EqualityFilter, PresenceFilter, AndFilter } from 'ldapts';
import type { Capability, CheckReport } from '../kit/contract.js';
import type { LdapClient, LdapEntry } from '../kit/ldap-client.js';
import type { ActiveDirectorySettings } from './manifest.js';

type Missing = CheckReport['missing'][number];

/**
 * What our own account may not do, as the directory computes it (allowedChildClassesEffective and
 * allowedAttributesEffective; MS-ADTS, section 3.1.1.4.5). Nothing is written. It can't tell of rights that aren't
 * attributes: the right to reset passwords, and to delete.
 */
export async function missingRights(
  client: LdapClient,
  settings: ActiveDirectorySettings,
): Promise<readonly Missing[]> {
  const { userBase, groupBase, markAttribute, bindName } = settings;
  const missing: Missing[] = [];
  const lacks = (capabilities: readonly Capability[], permission: string, remedy: string) =>
    missing.push(...capabilities.map((capability) => ({ capability, permission, remedy })));
  const delegate = (what: string, base: string) => `Delegate to ${bindName} on ${base}: ${what}.`;

  const unit = await client.read(userBase, new PresenceFilter({ attribute: 'objectClass' }), [CHILDREN]);
  if (!unit) {
    lacks(
      ['listAccounts', 'findAccounts', 'getAccount'],
      `read ${userBase}`,
      delegate('read all properties', userBase),
    );
  } else if (!has(unit, CHILDREN, 'user')) {
    lacks(['createAccount'], `create user objects below ${userBase}`, delegate('create user objects', userBase));
  }
  const [user] = await sample(client, userBase, 'user', markAttribute);
  if (user && !has(user, ATTRIBUTES, 'userAccountControl')) {
    const permission = `write userAccountControl below ${userBase}`;
    lacks(['suspendAccount', 'restoreAccount'], permission, delegate('write userAccountControl of users', userBase));
  }
  const [group] = await sample(client, groupBase, 'group', 'cn');
  if (!group) {
    lacks(['grant', 'withdraw'], `read groups below ${groupBase}`, `Make a group there, or let ${bindName} read it.`);
  } else if (!has(group, ATTRIBUTES, 'member')) {
    lacks(['grant', 'withdraw'], `write member below ${groupBase}`, delegate('write members of groups', groupBase));
  }
  return missing;
}

const CHILDREN = 'allowedChildClassesEffective';
const ATTRIBUTES = 'allowedAttributesEffective';

function has(entry: LdapEntry, attribute: string, value: string): boolean {
  return entry.all(attribute).some((one) => one.toLowerCase() === value.toLowerCase());
}

async function sample(client: LdapClient, base: string, objectClass: string, present: string) {
  const filter = new AndFilter({
    filters: [
      new EqualityFilter({ attribute: 'objectClass', value: objectClass }),
      new PresenceFilter({ attribute: present }),
    ],
  });
  const { entries } = await client.searchAll({ base, scope: 'sub', filter, attributes: ['cn'] });
  const [first] = entries;
  // Computed for each entry, so it is asked of one.
  const entry = first && (await client.read(first.dn, new PresenceFilter({ attribute: 'objectClass' }), [ATTRIBUTES]));
  return entry ? [entry] : [];
}
