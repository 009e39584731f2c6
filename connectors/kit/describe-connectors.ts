import { capabilitiesOf, supports } from './capabilities.js';
import { CAPABILITIES, type Capability, type Connector } from './contract.js';

type Described = Pick<Connector, 'id' | 'title' | 'kind' | 'capabilities' | 'secrets'>;

/** What a row of the table is about, for readers who don't know the contract. */
const MEANING: Readonly<Record<Capability, string>> = {
  check: 'say who we are there and what is missing',
  listAccounts: 'list every account',
  findAccounts: 'find a person’s accounts',
  getAccount: 'look at one account (the read-back)',
  createAccount: 'make an account',
  suspendAccount: 'suspend, and end what is live',
  restoreAccount: 'let in again',
  removeAccount: 'delete the account',
  resetCredentials: 'replace the credentials',
  revokeAccess: 'end sessions, tokens and keys',
  revokeDevice: 'end one device’s credentials',
  grant: 'give a group, role or licence',
  withdraw: 'take it back',
  issueCertificate: 'sign a device’s key for a short while',
  getLockdown: 'show a lockdown',
  lockDown: 'everybody out but named people',
  liftLockdown: 'end a lockdown',
  listComputers: 'list computers',
  listRecoveryKeys: 'show which recovery keys are kept',
  revealRecoveryKey: 'read a recovery key',
  readDiskEncryption: 'tell whether a computer’s disk is encrypted',
  readDeviceStatus: 'tell whether a computer is locked or wiped',
  lockComputer: 'lock a computer',
  unlockComputer: 'unlock it',
  wipeComputer: 'wipe it',
};

/**
 * The document `docs/connectors.md`, in Markdown: one table of all capabilities and connectors, then what each
 * connector needs for them. Made from the manifests and nothing else.
 */
export function describeConnectors(connectors: readonly Described[]): string {
  return [
    '# Connectors',
    '',
    '<!-- Written by `quartermaster connectors --write` from the manifests. Change those. -->',
    '',
    'What each connector can do through its tool’s API: ● by itself, ○ as a task for a person. What is empty becomes a task too. How to write another one:',
    '[writing-a-connector.md](writing-a-connector.md).',
    '',
    ...overview(connectors),
    '',
    '## What each needs',
    '',
    'The permission at the tool, in the tool’s own words, and what it is needed for. Each connector’s own page says step by step how to make such a credential, and what the',
    'connector can prove and what it can’t. `quartermaster tools check <key>` asks a configured tool which of them are missing.',
    ...connectors.flatMap((connector) => ['', ...needsOf(connector)]),
    '',
  ].join('\n');
}

function overview(connectors: readonly Described[]): string[] {
  return [
    row(['capability', '', ...connectors.map(({ id, title }) => `[${cell(title)}](#${id})`)]),
    row(['---', '---', ...connectors.map(() => ':-:')]),
    ...CAPABILITIES.map((capability) =>
      row([
        `\`${capability}\``,
        MEANING[capability],
        ...connectors.map((connector) => {
          if (!supports(connector, capability)) return '';
          return connector.kind === 'human' ? '○' : '●';
        }),
      ]),
    ),
  ];
}

/** One line for each permission, so that what one right opens is seen together. */
function needsOf({ id, title, capabilities, secrets }: Described): string[] {
  const needed = new Map<string, Capability[]>();
  for (const { capability, permission } of capabilitiesOf({ capabilities })) {
    needed.set(permission, [...(needed.get(permission) ?? []), capability]);
  }
  const kept = Object.entries(secrets).map(([name, sentence]) => `- secret \`${name}\`: ${sentence}`);
  return [
    `### ${id}`,
    '',
    `[${title}](../connectors/${id}/README.md)`,
    '',
    ...(kept.length > 0 ? [...kept, ''] : []),
    row(['permission', 'needed for']),
    row(['---', '---']),
    ...[...needed].map(([permission, names]) => row([cell(permission), names.map((name) => `\`${name}\``).join(', ')])),
  ];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function cell(text: string): string {
  return text.replaceAll(/[|<]/g, '\\$&').replaceAll('\n', ' ');
}
