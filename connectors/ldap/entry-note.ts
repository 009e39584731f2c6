import type { Mark } from '../kit/contract.js';
import type { LdapEntry } from '../kit/ldap-client.js';

/** What the connector keeps in an entry, as two values of the mark's attribute beside whatever else it holds. */
export interface EntryNote {
  mark: Mark;
  /** New with every password, so that a reset can be read back. Random; it tells nothing about the password. */
  credentialVersion: string | null;
}

const MARK = 'quartermaster-mark:';
const CREDENTIAL = 'quartermaster-credential:';

export function markValue(mark: Mark): string {
  return `${MARK}${mark}`;
}

export function credentialValue(version: string): string {
  return `${CREDENTIAL}${version}`;
}

/** Null for an entry that isn't ours. */
export function readNote(entry: LdapEntry, markAttribute: string): EntryNote | null {
  const values = entry.all(markAttribute);
  const mark = values.find((value) => value.startsWith(MARK))?.slice(MARK.length);
  if (mark === undefined) return null;
  const versions = values.filter((value) => value.startsWith(CREDENTIAL));
  // Two versions are no version: whoever wrote the second didn't take the first away.
  const credentialVersion = versions.length === 1 ? (versions[0]?.slice(CREDENTIAL.length) ?? null) : null;
  return { mark, credentialVersion };
}

/** The values that a new version replaces. */
export function oldCredentialValues(entry: LdapEntry, markAttribute: string): readonly string[] {
  return entry.all(markAttribute).filter((value) => value.startsWith(CREDENTIAL));
}
