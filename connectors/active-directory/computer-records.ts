import { AndFilter, EqualityFilter, type Filter } from 'ldapts';
import type { ComputerPage, ObservedComputer, RecoveryKeyRecord } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { parseGeneralizedTime, type LdapClient, type LdapEntry } from '../kit/ldap-client.js';
import { ACCOUNT_DISABLED, formatGuid, parseFileTime, parseGuid } from './directory-values.js';
import type { ActiveDirectorySettings } from './manifest.js';

/** Computers, and the BitLocker recovery objects that stand below them (MS-FVE; schema of msFVE-RecoveryInformation). */
export function computerRecords(client: LdapClient, { computerBase, domainBase }: ActiveDirectorySettings) {
  const base = computerBase ?? domainBase;

  async function byGuid(externalId: string, isWhat: Filter, attributes: readonly string[]): Promise<LdapEntry> {
    const guid = parseGuid(externalId);
    if (!guid) throw new ToolError('invalid', `“${externalId}” is not an objectGUID.`);
    const filter = new AndFilter({ filters: [isWhat, new EqualityFilter({ attribute: 'objectGUID', value: guid })] });
    const [entry] = await client.search({ base, scope: 'sub', filter, attributes });
    if (!entry)
      throw new ToolError('not-found', `Nothing with this objectGUID is below ${base}, or it isn’t shown to us.`);
    return entry;
  }

  return {
    async computers(): Promise<ComputerPage> {
      const attributes = [
        'objectGUID',
        'cn',
        'dNSHostName',
        'operatingSystem',
        'userAccountControl',
        'lastLogonTimestamp',
      ];
      const search = { base, scope: 'sub', filter: IS_COMPUTER, attributes, binary: ['objectGUID'] } as const;
      const { entries, isComplete } = await client.searchAll(search);
      return { computers: entries.map(computerOf), next: null, complete: isComplete };
    },

    /** Without the attribute that holds the key. */
    async recoveryKeys(computerExternalId: string): Promise<readonly RecoveryKeyRecord[]> {
      const computer = await byGuid(computerExternalId, IS_COMPUTER, ['cn']);
      const binary = ['objectGUID', 'msFVE-RecoveryGuid', 'msFVE-VolumeGuid'];
      const attributes = [...binary, 'whenCreated'];
      const entries = await client.search({ base: computer.dn, scope: 'one', filter: IS_RECOVERY, attributes, binary });
      return entries.map((entry) => ({
        externalId: guidOf(entry, 'objectGUID') ?? '',
        keyId: (guidOf(entry, 'msFVE-RecoveryGuid') ?? '').toUpperCase(),
        volumeId: guidOf(entry, 'msFVE-VolumeGuid'),
        storedAt: parseGeneralizedTime(entry.first('whenCreated')),
      }));
    },

    async recoveryPassword(externalId: string): Promise<string> {
      const entry = await byGuid(externalId, IS_RECOVERY, ['msFVE-RecoveryPassword']);
      const password = entry.first('msFVE-RecoveryPassword');
      if (password) return password;
      // A confidential attribute that may not be read is left out, as if it weren't there.
      throw new ToolError('forbidden', 'The recovery key is not shown to the service’s own account.', {
        permission: 'read property and control access on msFVE-RecoveryPassword',
        remedy: 'Delegate “full control” or “control access” of msFVE-RecoveryInformation objects to it.',
      });
    },
  };
}

const IS_COMPUTER = new EqualityFilter({ attribute: 'objectClass', value: 'computer' });
const IS_RECOVERY = new EqualityFilter({ attribute: 'objectClass', value: 'msFVE-RecoveryInformation' });

function computerOf(entry: LdapEntry): ObservedComputer {
  return {
    externalId: guidOf(entry, 'objectGUID') ?? '',
    name: entry.first('dNSHostName') ?? entry.first('cn') ?? entry.dn,
    operatingSystem: entry.first('operatingSystem'),
    isEnabled: (Number(entry.first('userAccountControl') ?? 0) & ACCOUNT_DISABLED) === 0,
    lastSeenAt: parseFileTime(entry.first('lastLogonTimestamp')),
  };
}

function guidOf(entry: LdapEntry, attribute: string): string | null {
  const bytes = entry.bytes(attribute);
  return bytes?.length === 16 ? formatGuid(bytes) : null;
}
