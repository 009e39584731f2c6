import { randomBytes } from 'node:crypto';
import type { ParsedKey } from 'ssh2';
import { already, done } from '../kit/act-results.js';
import { checkConnection } from '../kit/connection.js';
import type {
  AccountPage,
  AccountQuery,
  AccountRef,
  ActResult,
  CertificateRequest,
  CheckReport,
  Connector,
  CreatedAccount,
  FoundAccount,
  GrantRef,
  IssuedCertificate,
  NewAccount,
  ObservedAccount,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { parseAuthority, signCertificate } from './certificate.js';
import { type Answer, GatewayClient } from './client.js';
import { parseAccount, parseCertificates, type GatewayAccount } from './gateway-answers.js';
import { sshGatewayManifest, type SshGatewaySettings } from './manifest.js';
import { missingAtGateway } from './missing-at-gateway.js';

/** A Unix account per person on a gateway, entered by short-lived certificates; see README.md for what it needs. */
export const sshGatewayConnector: Connector<SshGatewaySettings> = {
  ...sshGatewayManifest,
  async open(connection: ToolConnection<SshGatewaySettings>): Promise<ToolSession> {
    const settings = checkConnection(sshGatewayManifest, connection);
    const authority = parseAuthority(connection.secrets['caKey'] ?? '');
    const client = await GatewayClient.connect(settings, connection.secrets['privateKey'] ?? '', connection);
    return new GatewaySession(client, settings, authority);
  },
};

class GatewaySession implements ToolSession {
  constructor(
    private readonly client: GatewayClient,
    private readonly settings: SshGatewaySettings,
    private readonly authority: ParsedKey,
  ) {}

  async check(): Promise<CheckReport> {
    const answer = await this.client.look('hello');
    return missingAtGateway(answer, this.authority.getPublicSSH().toString('base64'));
  }

  async listAccounts(next: string | null): Promise<AccountPage> {
    const accounts = parseAccounts(await this.client.look('list', next ?? '0')).map((account) => observed(account));
    const last = accounts.at(-1)?.externalId ?? null;
    // Past the last account the gateway answers with an empty page.
    return { accounts, next: last, complete: last === null };
  }

  async findAccounts({ mark, username }: AccountQuery): Promise<readonly FoundAccount[]> {
    // What can't be a Unix name can't have an account either; the mark is looked for all the same.
    const name = isUnixName(username) ? username : NOBODYS_NAME;
    const found = parseAccounts(await this.client.look('find', name, encode(mark)));
    return found.map((account) => ({
      account: observed(account),
      matchedBy: account.mark === mark ? 'mark' : 'username',
    }));
  }

  async getAccount(ref: AccountRef): Promise<ObservedAccount | null> {
    const known = await this.look(ref);
    if (!known) return null;
    const { account, devices } = known;
    return {
      ...observed(account),
      credentials: { seen: true, live: account.state === 'active' ? devices.length : 0, ids: devices },
      grants: account.groups.map((name) => ({ kind: 'group', name })),
    };
  }

  async createAccount(want: NewAccount): Promise<ActResult<CreatedAccount>> {
    if (!isUnixName(want.username)) {
      throw new ToolError(
        'invalid',
        'A user name on a gateway is at most 32 of a–z, 0–9, dot, _ and -, a letter first.',
        {
          remedy: 'Give this person a user name that fits, in the access policy’s naming rule.',
        },
      );
    }
    const existing = await this.existing(want);
    if (existing) return already(existing);
    const credentialVersion = newWord();
    try {
      const answer = await this.client.act('create', want.username, encode(want.mark), credentialVersion, newWord());
      const [account] = parseAccounts(answer);
      if (!account) throw new ToolError('ambiguous', 'The gateway made the account and didn’t say which.');
      return done({ externalId: account.externalId, username: account.username, credentialVersion });
    } catch (error) {
      // Somebody took the name since we looked: another create of the same mark, perhaps.
      const sameMark = error instanceof ToolError && error.kind === 'conflict' ? await this.existing(want) : null;
      if (sameMark) return already(sameMark);
      throw error;
    }
  }

  async suspendAccount(ref: AccountRef): Promise<ActResult> {
    const { account } = await this.target(ref);
    if (account.state === 'suspended' && account.live === 0) return already(null);
    return done(null, endedIn(await this.client.act('suspend', account.externalId)));
  }

  async restoreAccount(ref: AccountRef): Promise<ActResult> {
    const { account } = await this.target(ref);
    if (account.state === 'active' && !account.isHalfSuspended) return already(null);
    await this.client.act('restore', account.externalId);
    return done(null);
  }

  async removeAccount(ref: AccountRef): Promise<ActResult> {
    refuseOwn(ref, this.settings);
    if (!(await this.look(ref))) return already(null);
    const { account } = await this.target(ref);
    const sideEffects = endedIn(await this.client.act('remove', account.externalId));
    return done(null, [...sideEffects, 'the home folder is kept']);
  }

  /** There is no password: the person's devices get new certificates (`issueCertificate`). */
  async resetCredentials(ref: AccountRef, _password: string): Promise<ActResult<{ credentialVersion: string | null }>> {
    const { account } = await this.target(ref);
    const credentialVersion = newWord();
    const answer = await this.client.act('renew', account.externalId, credentialVersion, newWord());
    return done({ credentialVersion }, ['every certificate from before is refused', ...endedIn(answer)]);
  }

  async revokeAccess(ref: AccountRef): Promise<ActResult> {
    const { account, devices } = await this.target(ref);
    if (account.live === 0 && devices.length === 0) return already(null);
    const version = account.credentialVersion ?? newWord();
    const answer = await this.client.act('renew', account.externalId, version, newWord());
    return done(null, ['every certificate from before is refused', ...endedIn(answer)]);
  }

  async revokeDevice(ref: AccountRef, deviceExternalId: string): Promise<ActResult> {
    const { account, revokedDevices } = await this.target(ref);
    // Sent again even so: a connection of the device may have come up by another way.
    const ended = endedIn(await this.client.act('revoke-device', account.externalId, encode(deviceExternalId)));
    return revokedDevices.includes(deviceExternalId) && ended.length === 0 ? already(null) : done(null, ended);
  }

  async grant(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const { account } = await this.target(ref);
    const name = groupNameOf(grant);
    if (account.groups.includes(name)) return already(null);
    await this.client.act('grant', account.externalId, name);
    return done(null);
  }

  async withdraw(ref: AccountRef, grant: GrantRef): Promise<ActResult> {
    const name = groupNameOf(grant);
    if (!(await this.look(ref))) return already(null);
    const { account } = await this.target(ref);
    if (!account.groups.includes(name)) return already(null);
    return done(null, endedIn(await this.client.act('withdraw', account.externalId, name)));
  }

  async issueCertificate(ref: AccountRef, request: CertificateRequest): Promise<ActResult<IssuedCertificate>> {
    const { account } = await this.target(ref);
    if (account.state === 'suspended') throw new ToolError('conflict', 'The account is suspended.');
    const device = encode(request.deviceExternalId);
    const epoch = account.epoch ?? '';
    const now = Date.now();
    const validUntil = new Date(now + this.settings.certificateMinutes * 60_000);
    const serial = randomBytes(8).readBigUInt64BE();
    const certificate = signCertificate(this.authority, {
      publicKey: request.publicKey,
      serial,
      keyId: `quartermaster/${account.externalId}/${epoch}/${device}`,
      principals: [epoch],
      validFrom: new Date(now - CLOCKS_APART_MS),
      validUntil,
    });
    // Handed out only once the gateway has noted it: nobody has a certificate that it doesn't know.
    const expires = String(Math.ceil(validUntil.getTime() / 1000));
    await this.client.act('issue', account.externalId, epoch, device, String(serial), expires);
    return done({ certificate, serial: String(serial), validUntil });
  }

  async getLockdown(): Promise<{ allowed: readonly string[] } | null> {
    const [line] = await this.client.look('lockdown-state');
    if (line?.[0] === 'open') return null;
    return { allowed: (line?.[1] ?? '').split(',').filter((name) => name !== '-' && name !== '') };
  }

  async lockDown(allowed: readonly AccountRef[]): Promise<ActResult> {
    const names: string[] = [];
    for (const ref of allowed) names.push((await this.target(ref)).account.username);
    const before = await this.getLockdown();
    const isSame = before !== null && [...before.allowed].toSorted().join() === names.toSorted().join();
    // Sent again even so: somebody may have come in by another way meanwhile.
    const ended = endedIn(await this.client.act('lockdown', names.length > 0 ? names.join(',') : '-'));
    return isSame && ended.length === 0 ? already(null) : done(null, ended);
  }

  async liftLockdown(): Promise<ActResult> {
    if ((await this.getLockdown()) === null) return already(null);
    await this.client.act('lift');
    return done(null);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private async existing({ mark, username }: NewAccount): Promise<CreatedAccount | null> {
    const found = await this.findAccounts({ mark, username, email: '' });
    const marked = found.filter(({ matchedBy }) => matchedBy === 'mark');
    if (marked.length > 1) throw new ToolError('conflict', `${marked.length} accounts carry the mark of this person.`);
    if (marked[0]) {
      const { externalId, username: name, credentialVersion } = marked[0].account;
      return { externalId, username: name, credentialVersion };
    }
    if (found.length === 0) return null;
    throw new ToolError('conflict', `The account “${username}” exists and isn’t Quartermaster’s.`, {
      remedy: 'Rename or remove that account, or give this person another user name.',
    });
  }

  private async look(ref: AccountRef): Promise<Known | null> {
    if (!/^\d{1,9}$/.test(ref.externalId)) throw new ToolError('invalid', `“${ref.externalId}” is not a uid.`);
    const answer = await this.client.look('get', ref.externalId);
    const [account] = parseAccounts(answer);
    if (!account) return null;
    return { account, ...parseCertificates(answer, account) };
  }

  private async target(ref: AccountRef): Promise<Known> {
    refuseOwn(ref, this.settings);
    const known = await this.look(ref);
    if (!known) throw new ToolError('not-found', 'The account is not there (any more).');
    if (known.account.mark === null) {
      throw new ToolError('invalid', `Refused: “${known.account.username}” doesn’t carry Quartermaster’s mark.`, {
        remedy: 'Act on it by hand.',
      });
    }
    return known;
  }
}

interface Known {
  account: GatewayAccount;
  /** Those with a certificate that is still valid. */
  devices: readonly string[];
  revokedDevices: readonly string[];
}

/** The gateway's clock may be behind ours. */
const CLOCKS_APART_MS = 120_000;

/** `unknown` is what sshd calls a name it doesn't know, in its processes' titles. */
const NOBODYS_NAME = 'quartermaster-asks-for-a-mark';

/** A word of the gateway's protocol that nobody can guess. */
function newWord(): string {
  return randomBytes(16).toString('hex');
}

function encode(text: string): string {
  if (text === '' || Buffer.byteLength(text) > 200) {
    throw new ToolError('invalid', 'A mark or the id of a device must have 1 to 200 bytes.');
  }
  return Buffer.from(text, 'utf8').toString('base64url');
}

function isUnixName(name: string): boolean {
  return /^[a-z_][a-z0-9._-]{0,31}$/.test(name) && name !== 'unknown' && name !== 'root';
}

function refuseOwn({ externalId, username }: AccountRef, { user }: SshGatewaySettings): void {
  if (externalId !== '0' && username !== user) return;
  throw new ToolError('forbidden', 'Refused: this is the account that Quartermaster itself uses at this gateway.');
}

function groupNameOf({ kind, name }: GrantRef): string {
  if (kind !== 'group') {
    throw new ToolError('invalid', `A gateway has groups, and no ${kind} (“${name}”).`, {
      remedy: 'Write it under `groups` in the access policy.',
    });
  }
  if (isUnixName(name)) return name;
  throw new ToolError('invalid', `“${name}” can’t be a group of a gateway.`, {
    remedy: 'Correct its name in the access policy.',
  });
}

function parseAccounts(answer: Answer): GatewayAccount[] {
  return answer.flatMap((line) => parseAccount(line) ?? []);
}

function observed(account: GatewayAccount): ObservedAccount {
  return {
    externalId: account.externalId,
    username: account.username,
    mark: account.mark,
    email: null,
    state: account.state,
    sessions: { seen: true, live: account.live },
    credentials: {
      seen: false,
      residualUntil: null,
      because: 'A listing doesn’t count certificates; look at the account.',
    },
    credentialVersion: account.credentialVersion,
  };
}

function endedIn(answer: Answer): readonly string[] {
  const ended = Number(answer.find(([first]) => first === 'ended')?.[1] ?? 0);
  return ended === 0 ? [] : [`${ended} live ${ended === 1 ? 'session' : 'sessions'} ended`];
}
