import { AndFilter, EqualityFilter, OrFilter, type Filter } from 'ldapts';
import { ToolError } from '../kit/errors.js';
import { type LdapClient, type LdapEntry, resultCodeOf } from '../kit/ldap-client.js';
import type { GrantRef } from '../kit/contract.js';
import type { LdapSettings } from './manifest.js';

/** How each kind of group names its members (RFC 4519, section 3.5 and 3.6; RFC 2307). */
const MEMBER_ATTRIBUTE = {
  groupOfNames: 'member',
  groupOfUniqueNames: 'uniqueMember',
  posixGroup: 'memberUid',
} as const;

/** A member of the first two kinds that is nobody: the empty name (RFC 4511, section 4.1.3). They must have a member. */
const NOBODY = '';

const OBJECT_CLASS_VIOLATION = 65;

export interface Member {
  dn: string;
  username: string;
}

/** The groups below the configured base. Names in the access policy are their `cn`. */
export class LdapGroups {
  private readonly attribute: 'member' | 'uniqueMember' | 'memberUid';

  constructor(
    private readonly client: LdapClient,
    private readonly settings: LdapSettings,
  ) {
    this.attribute = MEMBER_ATTRIBUTE[settings.groupKind];
  }

  async of(member: Member): Promise<readonly LdapEntry[]> {
    if (!this.settings.groupBase) return [];
    return this.search(new EqualityFilter({ attribute: this.attribute, value: this.valueOf(member) }));
  }

  /** Null when there is none. Throws `invalid` when the name isn't a group's, and `conflict` when two have it. */
  async named(grant: GrantRef): Promise<LdapEntry | null> {
    if (grant.kind !== 'group') {
      throw new ToolError('invalid', `A directory has groups, and no ${grant.kind} (“${grant.name}”).`, {
        remedy: 'Write it under `groups` in the access policy.',
      });
    }
    const [group, second] = await this.search(new EqualityFilter({ attribute: 'cn', value: grant.name }));
    if (second) throw new ToolError('conflict', `More than one group is called “${grant.name}”.`);
    return group ?? null;
  }

  /** Any group, to try the permission on; null when there is none. */
  async any(): Promise<LdapEntry | null> {
    return (await this.search())[0] ?? null;
  }

  /** False when it was a member already. */
  async add(group: LdapEntry, member: Member): Promise<boolean> {
    if (await this.isMember(group.dn, member)) return false;
    await this.client.modify(group.dn, [
      { operation: 'add', attribute: this.attribute, values: [this.valueOf(member)] },
    ]);
    return true;
  }

  /** False when it was no member. */
  async remove(group: LdapEntry, member: Member): Promise<boolean> {
    if (!(await this.isMember(group.dn, member))) return false;
    const removal = { operation: 'delete', attribute: this.attribute, values: [this.valueOf(member)] } as const;
    try {
      await this.client.modify(group.dn, [removal]);
    } catch (error) {
      // The last member of a group that must have one.
      if (resultCodeOf(error) !== OBJECT_CLASS_VIOLATION || this.attribute === 'memberUid') throw error;
      await this.client.modify(group.dn, [{ operation: 'add', attribute: this.attribute, values: [NOBODY] }, removal]);
    }
    return true;
  }

  /** Removes a member that isn't there: refused with `forbidden` before the server looks whether it is. */
  async tryToWrite(group: LdapEntry, nobody: Member): Promise<void> {
    const removal = { operation: 'delete', attribute: this.attribute, values: [this.valueOf(nobody)] } as const;
    await this.client.modify(group.dn, [removal]).catch((error: unknown) => {
      if (error instanceof ToolError && error.kind === 'forbidden') throw error;
    });
  }

  private async isMember(dn: string, member: Member): Promise<boolean> {
    const filter = new EqualityFilter({ attribute: this.attribute, value: this.valueOf(member) });
    return (await this.client.read(dn, filter, ['cn'])) !== null;
  }

  private valueOf({ dn, username }: Member): string {
    return this.attribute === 'memberUid' ? username : dn;
  }

  private async search(filter?: Filter): Promise<readonly LdapEntry[]> {
    const { groupBase, groupKind } = this.settings;
    if (!groupBase) {
      throw new ToolError('invalid', 'This directory’s settings name no groupBase, so it has no groups to give.', {
        remedy: 'Fill in groupBase.',
      });
    }
    const isGroup = new EqualityFilter({ attribute: 'objectClass', value: groupKind });
    const both = filter ? new AndFilter({ filters: [isGroup, filter] }) : isGroup;
    return this.client.search({ base: groupBase, scope: 'sub', filter: both, attributes: ['cn'] });
  }
}

/** Entries that are somebody's account, whatever made them. */
export const IS_ACCOUNT = new OrFilter({
  filters: ['person', 'account', 'posixAccount'].map(
    (value) => new EqualityFilter({ attribute: 'objectClass', value }),
  ),
});
