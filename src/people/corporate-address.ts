import { Problem } from '../platform/errors/problem.js';

// One @, no spaces or quotes: what companies give out, not all that RFC 5322 allows.
const ADDRESS = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/** Lower case and without blanks around it: the form in which an address is stored and compared. */
export function normalAddress(address: string): string {
  return address.trim().toLowerCase();
}

/** Whether an address lies in one of the domains, themselves only: a subdomain is a domain of its own. */
export function isCorporateAddress(address: string, corporateDomains: readonly string[]): boolean {
  const normal = normalAddress(address);
  if (!ADDRESS.test(normal)) return false;
  const domain = normal.slice(normal.lastIndexOf('@') + 1);
  return corporateDomains.some((corporate) => corporate.toLowerCase() === domain);
}

/** @throws Problem `invalid-request`: accounts are made on corporate addresses, never on personal ones. */
export function refusePersonalAddress(address: string, corporateDomains: readonly string[]): void {
  if (isCorporateAddress(address, corporateDomains)) return;
  throw new Problem(
    'invalid-request',
    `Accounts are made on corporate addresses only: this one isn't in ${corporateDomains.join(', ')}.`,
  );
}
