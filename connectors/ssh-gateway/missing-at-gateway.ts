import type { Capability, CheckReport } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import type { Answer } from './client.js';

type Missing = CheckReport['missing'][number];

const PROTOCOL = '1';

/** What `hello` tells of the gateway's sshd (as `sshd -T` prints it), held against what each capability needs. */
export function missingAtGateway(hello: Answer, authority: string): CheckReport {
  const valueOf = (key: string) =>
    hello
      .find(([name]) => name === key)
      ?.slice(1)
      .join(' ') ?? '';
  const sshd = (key: string) => {
    const line = hello.find(([first, name]) => first === 'sshd' && name === key);
    return line?.slice(2).join(' ') ?? '';
  };
  if (valueOf('protocol') !== PROTOCOL) {
    throw new ToolError('invalid', `The gateway’s command speaks protocol “${valueOf('protocol')}”, not ${PROTOCOL}.`, {
      remedy: 'Install the quartermaster-gateway that belongs to this version.',
    });
  }
  const missing: Missing[] = [];
  const lacks = (capabilities: readonly Capability[], permission: string, remedy: string) =>
    missing.push(...capabilities.map((capability) => ({ capability, permission, remedy })));

  if (valueOf('root') !== '0') {
    const acts = ['createAccount', 'suspendAccount', 'restoreAccount', 'removeAccount', 'resetCredentials'] as const;
    lacks(acts, 'root', 'Let the key’s forced command run as root.');
  }
  const authorities = hello.filter(([name]) => name === 'authority').map((line) => line[2]);
  if (!authorities.includes(authority)) {
    const remedy = 'Write the authority’s public key into the file that TrustedUserCAKeys names.';
    lacks(['issueCertificate'], 'TrustedUserCAKeys with the authority’s key', remedy);
  }
  const state = valueOf('state');
  if (sshd('revokedkeys') !== `${state}/krl`) {
    lacks(['revokeDevice'], 'RevokedKeys', `RevokedKeys ${state}/krl in sshd’s configuration, and reload it.`);
  }
  const command = `${valueOf('principals')} %u %i`;
  if (sshd('authorizedprincipalscommand') !== command) {
    const acts = ['suspendAccount', 'resetCredentials', 'revokeAccess', 'lockDown'] as const;
    lacks(acts, 'AuthorizedPrincipalsCommand', `AuthorizedPrincipalsCommand ${command}`);
  }
  for (const [keyword, allowed] of NO_OTHER_WAY_IN) {
    if (sshd(keyword) === allowed || sshd(keyword) === '') continue;
    const remedy = `${keyword} ${allowed} in sshd’s configuration (for the service’s own user in a Match block).`;
    lacks(['resetCredentials', 'revokeDevice', 'lockDown'], `no other way in than by certificate (${keyword})`, remedy);
  }
  return { principal: valueOf('principal'), version: valueOf('version') || null, missing };
}

/** Whatever else lets people in would go on after every certificate was revoked. Names as `sshd -T` prints them. */
const NO_OTHER_WAY_IN = [
  ['authorizedkeysfile', 'none'],
  ['authorizedkeyscommand', 'none'],
  ['authorizedprincipalsfile', 'none'],
  ['passwordauthentication', 'no'],
  ['kbdinteractiveauthentication', 'no'],
  ['hostbasedauthentication', 'no'],
  ['gssapiauthentication', 'no'],
] as const;
