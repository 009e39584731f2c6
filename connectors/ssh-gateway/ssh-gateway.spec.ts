import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRANTABLE, hasSshd, makeKey, startGateway, type TestGateway } from '../../test/support/tool-servers/sshd.js';
import { waitFor } from '../../test/support/wait-for.js';
import { conformanceChecks, type ConformanceFixture, type LiveAccess } from '../kit/conformance.js';
import type {
  AccountRef,
  Connector,
  IssuedCertificate,
  NewAccount,
  ToolConnection,
  ToolSession,
} from '../kit/contract.js';
import { callWithin } from '../kit/deadline.js';
import { parseAuthority, signCertificate } from './certificate.js';
import { sshGatewayConnector } from './connector.js';
import type { SshGatewaySettings } from './manifest.js';

/** With a dot, as the names have that the service makes of corporate addresses. */
function newPerson(username = `ada.${randomBytes(5).toString('hex')}`): NewAccount {
  const email = `${randomBytes(5).toString('hex')}@corp.example`;
  const names = { givenName: 'Ada', familyName: 'Lovelace', displayName: 'Ada Lovelace' };
  return { mark: randomUUID(), username, holder: { personId: randomUUID(), ...names, email }, password: 'unused' };
}

/** Somebody's computer: a key pair, and the certificate that was last issued for it. */
interface Device {
  id: string;
  keyFile: string;
  publicKey: string;
}

/** A connection of the real `ssh` program that stays open until somebody ends it. */
class LiveSsh implements LiveAccess {
  private hasExited = false;
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    child.once('exit', () => (this.hasExited = true));
    child.stdout?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  /** Null when the gateway refuses. */
  static async open(gateway: TestGateway, username: string, device: Device, extra: readonly string[] = []) {
    const knownHosts = join(gateway.folder, 'known_hosts');
    writeFileSync(knownHosts, `[${gateway.host}]:${gateway.port} ${gateway.hostKey}`);
    const options = Object.entries({
      UserKnownHostsFile: knownHosts,
      StrictHostKeyChecking: 'yes',
      IdentitiesOnly: 'yes',
      IdentityAgent: 'none',
      BatchMode: 'yes',
      CertificateFile: `${device.keyFile}-cert.pub`,
    }).map(([name, value]) => `-o${name}=${value}`);
    const where = ['-F', '/dev/null', '-i', device.keyFile, '-p', String(gateway.port), `${username}@${gateway.host}`];
    const command = extra.includes('-N') ? [] : ['echo in; exec cat'];
    const child = spawn('ssh', [...options, ...extra, ...where, ...command], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin?.on('error', () => undefined);
    const live = new LiveSsh(child);
    if (extra.includes('-N')) return live;
    await waitFor('an answer of the gateway', () => live.hasExited || live.output.includes('in\n'), {
      withinMs: 10_000,
    });
    return live.hasExited ? null : live;
  }

  async works(): Promise<boolean> {
    const token = randomBytes(6).toString('hex');
    this.child.stdin?.write(`${token}\n`);
    const echoed = waitFor('an echo', () => this.hasExited || this.output.includes(token), { withinMs: 3_000 });
    await echoed.catch(() => undefined);
    return !this.hasExited && this.output.includes(token);
  }

  get isOver(): boolean {
    return this.hasExited;
  }

  async end(): Promise<void> {
    this.child.kill('SIGKILL');
  }
}

describe.skipIf(!hasSshd())('the SSH gateway connector, against OpenSSH', () => {
  let gateway: TestGateway;
  let settings: SshGatewaySettings;
  let good: Omit<ToolConnection<SshGatewaySettings>, 'call'>;
  let laptops: string;

  beforeAll(async () => {
    gateway = await startGateway();
    laptops = mkdtempSync(join(gateway.folder, 'laptops-'));
    const { host, port, hostKey } = gateway;
    settings = { host, port, user: 'root', hostKey, certificateMinutes: 60 };
    const { privateKey, caKey } = gateway;
    good = { settings, secrets: { privateKey, caKey }, allowPrivateAddresses: true };
  });
  afterAll(() => gateway?.stop());

  async function open(differing: Partial<ToolConnection<SshGatewaySettings>> = {}): Promise<ToolSession> {
    return sshGatewayConnector.open({ ...good, call: callWithin(15_000), ...differing });
  }

  async function withSession<T>(work: (session: ToolSession) => Promise<T> | undefined): Promise<T> {
    const session = await open();
    try {
      const working = work(session);
      if (!working) throw new Error('the session has no such method');
      return await working;
    } finally {
      await session.close();
    }
  }

  async function create(person = newPerson()): Promise<AccountRef> {
    const result = await withSession((session) => session.createAccount?.(person));
    if (result.outcome !== 'done') throw new Error(`create answered ${result.outcome}`);
    return result.value;
  }

  function newDevice(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): Device {
    const id = `laptop ${randomBytes(4).toString('hex')}`;
    const keyFile = join(laptops, randomBytes(4).toString('hex'));
    makeKey(keyFile, type);
    return { id, keyFile, publicKey: readFileSync(`${keyFile}.pub`, 'utf8').trim() };
  }

  async function issue(ref: AccountRef, device: Device): Promise<IssuedCertificate> {
    const { publicKey, id: deviceExternalId } = device;
    const result = await withSession((session) => session.issueCertificate?.(ref, { publicKey, deviceExternalId }));
    if (result.outcome !== 'done') throw new Error(`issue answered ${result.outcome}`);
    writeFileSync(`${device.keyFile}-cert.pub`, result.value.certificate);
    return result.value;
  }

  async function certifiedDevice(ref: AccountRef): Promise<Device> {
    const device = newDevice();
    await issue(ref, device);
    return device;
  }

  const enter = (ref: AccountRef, device: Device, extra: readonly string[] = []) =>
    LiveSsh.open(gateway, ref.username, device, extra);

  async function entered(ref: AccountRef, device: Device): Promise<LiveSsh> {
    const live = await enter(ref, device);
    if (!live) throw new Error(`${ref.username} was not let in`);
    return live;
  }

  /**
   * The suite speaks of passwords. A gateway has none: what the engine hands a person is leave to have a device
   * certified. So this desk stands for the one-time link: whoever shows the newest password gets a certificate, once.
   */
  class Desk {
    private readonly newest = new Map<string, string>();
    private readonly refs = new Map<string, AccountRef>();
    private readonly devices = new Map<string, Device>();

    watching(connector: Connector<SshGatewaySettings>): Connector<SshGatewaySettings> {
      return {
        ...connector,
        open: async (connection) => {
          const session = await connector.open(connection);
          const create = session.createAccount?.bind(session);
          const reset = session.resetCredentials?.bind(session);
          if (!create || !reset) throw new Error('the connector has no accounts');
          session.createAccount = async (want) => {
            const result = await create(want);
            if (result.outcome === 'done') this.handOver(result.value, want.password);
            return result;
          };
          session.resetCredentials = async (ref, password) => {
            const result = await reset(ref, password);
            this.handOver(ref, password);
            return result;
          };
          return session;
        },
      };
    }

    async signIn(username: string, password: string): Promise<LiveSsh | null> {
      const ref = this.refs.get(username);
      if (!ref) return null;
      const known = this.devices.get(`${username} ${password}`);
      const live = known ? await enter(ref, known) : null;
      if (live || this.newest.get(username) !== password) return live;
      const device = await certifiedDevice(ref).catch(() => null);
      if (!device) return null;
      this.devices.set(`${username} ${password}`, device);
      return enter(ref, device);
    }

    private handOver(ref: AccountRef, password: string): void {
      this.refs.set(ref.username, ref);
      this.newest.set(ref.username, password);
    }
  }

  const linesOf = (name: string) =>
    readFileSync(join(gateway.etc, name), 'utf8')
      .split('\n')
      .map((line) => line.split(':'));

  const desk = new Desk();
  const fixture = (): ConformanceFixture<SshGatewaySettings> => ({
    good,
    get wrongSecrets() {
      return { privateKey: gateway.caKey, caKey: gateway.caKey };
    },
    group: { kind: 'group', name: GRANTABLE[0] },
    signIn: (username, password) => desk.signIn(username, password),
    async observe(username) {
      const entry = linesOf('passwd').find(([name]) => name === username);
      if (!entry) return null;
      const expiry = linesOf('shadow').find(([name]) => name === username)?.[7];
      const record = join(gateway.state, 'accounts', username);
      const isClosed = existsSync(record) && readFileSync(record, 'utf8').includes('state=suspended');
      const groups = linesOf('group').filter(([, , , members]) => members?.split(',').includes(username));
      return {
        externalId: entry[2] ?? '',
        state: isClosed && expiry === '1' ? 'suspended' : 'active',
        groups: groups.map(([name]) => name ?? ''),
      };
    },
    ownPrincipal: async () => ({ externalId: '0', username: 'root' }),
    async makeTwoWithMark(mark) {
      for (const offset of [0, 1]) {
        const uid = 30_000 + Math.floor(Math.random() * 10_000) * 2 + offset;
        const name = `twin-${uid}`;
        appendFileSync(join(gateway.etc, 'passwd'), `${name}:x:${uid}:${uid}::/home/${name}:/bin/sh\n`);
        const record = [
          `uid=${uid}`,
          `mark=${Buffer.from(mark).toString('base64url')}`,
          'version=v',
          'epoch=e',
          'state=active',
        ];
        writeFileSync(join(gateway.state, 'accounts', name), `${record.join('\n')}\n`);
        writeFileSync(join(gateway.state, 'certificates', name), '');
      }
    },
  });

  for (const check of conformanceChecks(desk.watching(sshGatewayConnector), fixture)) it(check.name, check.run);

  describe('certificates', () => {
    it.each(['ed25519', 'rsa', 'ecdsa'] as const)('are such as OpenSSH itself reads, for a key of %s', async (type) => {
      const ref = await create();
      const device = newDevice(type);
      const { serial, validUntil } = await issue(ref, device);
      const shown = execFileSync('ssh-keygen', ['-L', '-f', `${device.keyFile}-cert.pub`], { encoding: 'utf8' });
      expect(shown).toContain(`Serial: ${serial}`);
      expect(shown).toMatch(/Signing CA: ED25519 .* \(using ssh-ed25519\)/);
      expect(shown).toContain(Buffer.from(device.id).toString('base64url'));
      expect(shown).toMatch(/Critical Options: \(none\)/);
      expect(shown).toMatch(/Extensions:\s+permit-port-forwarding\s+permit-pty\s*$/);
      expect(Math.round((Number(validUntil) - Date.now()) / 60_000)).toBe(60);
      const live = await entered(ref, device);
      expect(await live.works()).toBe(true);
      await live.end();
    });

    it('can be signed by an RSA authority, with SHA-2', () => {
      const path = join(laptops, 'rsa-authority');
      makeKey(path, 'rsa');
      const device = newDevice();
      const certificate = signCertificate(parseAuthority(readFileSync(path, 'utf8')), {
        publicKey: device.publicKey,
        serial: 1n,
        keyId: 'x',
        principals: ['y'],
        validFrom: new Date(),
        validUntil: new Date(Date.now() + 60_000),
      });
      writeFileSync(`${device.keyFile}-cert.pub`, certificate);
      const shown = execFileSync('ssh-keygen', ['-L', '-f', `${device.keyFile}-cert.pub`], { encoding: 'utf8' });
      expect(shown).toMatch(/Signing CA: RSA .* \(using rsa-sha2-512\)/);
    });

    it('let nobody in once their time is over', async () => {
      const ref = await create();
      const device = await certifiedDevice(ref);
      const account = await withSession((session) => session.getAccount(ref));
      expect(account?.credentials).toEqual({ seen: true, live: 1, ids: [device.id] });
      const record = readFileSync(join(gateway.state, 'accounts', ref.username), 'utf8');
      const epoch = /^epoch=(.*)$/m.exec(record)?.[1] ?? '';
      const past = new Date(Date.now() - 60_000);
      const certificate = signCertificate(parseAuthority(gateway.caKey), {
        publicKey: device.publicKey,
        serial: 1n,
        keyId: `quartermaster/${ref.externalId}/${epoch}/x`,
        principals: [epoch],
        validFrom: new Date(Date.now() - 120_000),
        validUntil: past,
      });
      expect(await enter(ref, device)).not.toBeNull();
      writeFileSync(`${device.keyFile}-cert.pub`, certificate);
      expect(await enter(ref, device)).toBeNull();
    });

    it('of one person let nobody into another’s account', async () => {
      const [ada, bob] = [await create(), await create()];
      const device = await certifiedDevice(ada);
      expect(await enter(bob, device)).toBeNull();
      expect(await enter(ada, device)).not.toBeNull();
    });

    let keyless: Promise<AccountRef> | undefined;
    it.each([
      ['nothing', ''],
      ['another thing', 'hello'],
      ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
      ['half a key', `ssh-ed25519 ${Buffer.from([0, 0, 0, 11, 1, 2]).toString('base64')}`],
      ['a DSA key', 'ssh-dss AAAAB3NzaC1kc3MAAACBAA=='],
      ['two lines', 'ssh-ed25519 AAAA\nssh-ed25519 AAAA'],
    ])('are not made for %s', async (_what, publicKey) => {
      const ref = await (keyless ??= create());
      const issuing = withSession((session) => session.issueCertificate?.(ref, { publicKey, deviceExternalId: 'd' }));
      await expect(issuing).rejects.toMatchObject({ kind: 'invalid' });
      const account = await withSession((session) => session.getAccount(ref));
      expect(account?.credentials).toMatchObject({ live: 0 });
    });

    it('are not made for somebody who is suspended', async () => {
      const ref = await create();
      await withSession((session) => session.suspendAccount?.(ref));
      await expect(issue(ref, newDevice())).rejects.toMatchObject({ kind: 'conflict' });
    });
  });

  describe('one device', () => {
    it('is cut off, its live session too, and the other one goes on', async () => {
      const ref = await create();
      const [lost, kept] = [await certifiedDevice(ref), await certifiedDevice(ref)];
      const [onLost, onKept] = [await entered(ref, lost), await entered(ref, kept)];
      expect(await withSession((session) => session.getAccount(ref))).toMatchObject({
        sessions: { seen: true, live: 2 },
        credentials: { seen: true, live: 2 },
      });

      const result = await withSession((session) => session.revokeDevice?.(ref, lost.id));

      expect(result).toMatchObject({ outcome: 'done', sideEffects: ['1 live session ended'] });
      await waitFor('the lost device is out', () => onLost.isOver);
      expect(await onKept.works()).toBe(true);
      expect(await enter(ref, lost)).toBeNull();
      const again = await entered(ref, kept);
      await again.end();
      expect(await withSession((session) => session.getAccount(ref))).toMatchObject({
        state: 'active',
        credentials: { seen: true, live: 1, ids: [kept.id] },
      });
      expect(await withSession((session) => session.revokeDevice?.(ref, lost.id))).toMatchObject({
        outcome: 'already',
      });
      expect(await onKept.works()).toBe(true);
      await onKept.end();
    });

    it('is named in the revocation list that sshd reads, and gets no new certificate', async () => {
      const ref = await create();
      const lost = await certifiedDevice(ref);
      await withSession((session) => session.revokeDevice?.(ref, lost.id));
      const list = execFileSync('ssh-keygen', ['-Q', '-l', '-f', join(gateway.state, 'krl')], { encoding: 'utf8' });
      expect(list).toContain(`quartermaster/${ref.externalId}/`);
      expect(list).toContain(Buffer.from(lost.id).toString('base64url'));

      await expect(issue(ref, lost)).rejects.toMatchObject({
        kind: 'conflict',
        remedy: expect.stringMatching(/Reset/),
      });

      await withSession((session) => session.resetCredentials?.(ref, 'unused'));
      await issue(ref, lost);
      await (await entered(ref, lost)).end();
    });

    it('is cut off even when it only forwards ports', async () => {
      const ref = await create();
      const [lost, kept] = [await certifiedDevice(ref), await certifiedDevice(ref)];
      const forwarding = await enter(ref, lost, ['-N']);
      const onKept = await entered(ref, kept);
      await waitFor('both are in', async () => {
        const account = await withSession((session) => session.getAccount(ref));
        return account?.sessions.seen && account.sessions.live === 2;
      });

      await withSession((session) => session.revokeDevice?.(ref, lost.id));

      await waitFor('the forwarding ends', () => forwarding?.isOver);
      expect(await onKept.works()).toBe(true);
      await onKept.end();
    });
  });

  it('ends every session of a person and what they left running, and nobody else’s', async () => {
    const [ada, bob] = [await create(), await create()];
    const [adas, bobs] = [await certifiedDevice(ada), await certifiedDevice(bob)];
    const sessions = [await entered(ada, adas), await entered(ada, adas)];
    const other = await entered(bob, bobs);
    const background = await enter(ada, adas, ['-f', '-N']);
    await background?.end();

    const result = await withSession((session) => session.suspendAccount?.(ada));

    expect(result).toMatchObject({ outcome: 'done', sideEffects: [expect.stringMatching(/^\d live sessions ended$/)] });
    for (const live of sessions) await waitFor('the session ends', () => live.isOver);
    expect(await withSession((session) => session.getAccount(ada))).toMatchObject({
      state: 'suspended',
      sessions: { seen: true, live: 0 },
      credentials: { seen: true, live: 0 },
    });
    expect(await other.works()).toBe(true);
    await other.end();
  });

  it('counts and ends a process that outlived its connection', async () => {
    const ref = await create();
    const device = await certifiedDevice(ref);
    const live = await entered(ref, device);
    const where = ['-F', '/dev/null', '-i', device.keyFile, `-oCertificateFile=${device.keyFile}-cert.pub`];
    const known = `-oUserKnownHostsFile=${join(gateway.folder, 'known_hosts')}`;
    const at = ['-p', String(gateway.port), `${ref.username}@${gateway.host}`];
    execFileSync('ssh', [...where, known, '-oBatchMode=yes', ...at, 'setsid sleep 600 >/dev/null 2>&1 </dev/null &']);
    await live.end();
    const sessionsOf = async () => (await withSession((session) => session.getAccount(ref)))?.sessions;
    await waitFor('only the process is left', async () => {
      const sessions = await sessionsOf();
      return sessions?.seen && sessions.live === 1;
    });

    await withSession((session) => session.revokeAccess?.(ref));

    expect(await sessionsOf()).toEqual({ seen: true, live: 0 });
  });

  it('isn’t kept from ending by somebody who only knocks, and counts nobody who did', async () => {
    const ref = await create();
    const knocking = new ssh2.Client();
    const closed = new Promise<void>((resolve) => knocking.once('close', () => resolve()));
    knocking.on('error', () => undefined);
    const { host, port } = gateway;
    await new Promise<void>((resolve) => {
      let asked = 0;
      // Says the name, is refused once, and then says nothing more.
      const authHandler = (_left: unknown, _partial: unknown, next: (method: 'none') => void) =>
        asked++ === 0 ? next('none') : resolve();
      knocking.connect({ host, port, username: ref.username, authHandler });
    });

    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ sessions: { live: 0 } });
    expect(await withSession((session) => session.suspendAccount?.(ref))).toMatchObject({
      outcome: 'done',
      sideEffects: [],
    });
    await closed;
  });

  it('ends the sessions of a person whose group is withdrawn, for they would keep it', async () => {
    const ref = await create();
    const group = { kind: 'group', name: GRANTABLE[0] } as const;
    await withSession((session) => session.grant?.(ref, group));
    const live = await entered(ref, await certifiedDevice(ref));
    expect(await withSession((session) => session.withdraw?.(ref, group))).toMatchObject({
      outcome: 'done',
      sideEffects: ['1 live session ended'],
    });
    await waitFor('the session ends', () => live.isOver);
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ state: 'active', grants: [] });
  });

  it('makes no account where a home folder of the name is there: its files would run as the new person', async () => {
    const person = newPerson();
    const first = await create(person);
    await withSession((session) => session.removeAccount?.(first));
    const creating = withSession((session) => session.createAccount?.(person));
    await expect(creating).rejects.toMatchObject({ kind: 'invalid', remedy: expect.stringContaining('folder') });
    expect(linesOf('passwd').some(([name]) => name === person.username)).toBe(false);
  });

  describe('a lockdown', () => {
    it('puts everybody out but the named people in one act, keeps others from coming in, and is lifted again', async () => {
      const [responder, bystander] = [await create(), await create()];
      const devices = [await certifiedDevice(responder), await certifiedDevice(bystander)] as const;
      const [onDuty, other] = [await entered(responder, devices[0]), await entered(bystander, devices[1])];
      expect(await withSession((session) => session.getLockdown?.())).toBeNull();

      const result = await withSession((session) => session.lockDown?.([responder]));

      // Those of earlier tests are put out too.
      expect(result).toMatchObject({
        outcome: 'done',
        sideEffects: [expect.stringMatching(/^\d+ live sessions? ended$/)],
      });
      await waitFor('the bystander is out', () => other.isOver);
      expect(await enter(bystander, devices[1])).toBeNull();
      expect(await onDuty.works()).toBe(true);
      await (await entered(responder, devices[0])).end();
      expect(await withSession((session) => session.getLockdown?.())).toEqual({ allowed: [responder.username] });
      expect(await withSession((session) => session.lockDown?.([responder]))).toMatchObject({ outcome: 'already' });

      const suspended = await create();
      await withSession((session) => session.suspendAccount?.(suspended));
      expect(await withSession((session) => session.liftLockdown?.())).toMatchObject({ outcome: 'done' });
      expect(await withSession((session) => session.liftLockdown?.())).toMatchObject({ outcome: 'already' });

      expect(await withSession((session) => session.getLockdown?.())).toBeNull();
      await (await entered(bystander, devices[1])).end();
      expect(await withSession((session) => session.getAccount(suspended))).toMatchObject({ state: 'suspended' });
      await onDuty.end();
    });

    it('of everybody leaves nobody in, and the service can still lift it', async () => {
      const ref = await create();
      const device = await certifiedDevice(ref);
      await withSession((session) => session.lockDown?.([]));
      expect(await withSession((session) => session.getLockdown?.())).toEqual({ allowed: [] });
      expect(await enter(ref, device)).toBeNull();
      await withSession((session) => session.liftLockdown?.());
      await (await entered(ref, device)).end();
    });

    it('is refused whole when one of the named people isn’t there', async () => {
      const stranger = { externalId: '59999', username: 'stranger' };
      const locking = withSession((session) => session.lockDown?.([stranger]));
      await expect(locking).rejects.toMatchObject({ kind: 'not-found' });
      expect(await withSession((session) => session.getLockdown?.())).toBeNull();
    });
  });

  it('may grant the groups that the gateway names, and no others', async () => {
    const ref = await create();
    for (const name of ['wheel', 'sudo', 'no-such-group']) {
      const granting = withSession((session) => session.grant?.(ref, { kind: 'group', name }));
      await expect(granting).rejects.toMatchObject({ kind: 'invalid', remedy: expect.stringContaining('GRANTABLE') });
    }
  });

  it('leaves accounts alone that aren’t its own', async () => {
    const uid = 58_000;
    appendFileSync(join(gateway.etc, 'passwd'), `stranger:x:${uid}:${uid}::/:/bin/sh\n`);
    const ref = { externalId: String(uid), username: 'stranger' };
    expect(await withSession((session) => session.getAccount(ref))).toMatchObject({ mark: null });
    for (const act of ['suspendAccount', 'removeAccount', 'revokeAccess'] as const) {
      await expect(withSession((session) => session[act]?.(ref))).rejects.toMatchObject({ kind: 'invalid' });
    }
    const daemon = { externalId: '1', username: 'daemon' };
    await expect(withSession((session) => session.suspendAccount?.(daemon))).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('never gives a uid out twice', async () => {
    const first = await create();
    await withSession((session) => session.removeAccount?.(first));
    const second = await create();
    expect(Number(second.externalId)).toBeGreaterThan(Number(first.externalId));
  });

  describe('the forced command', () => {
    let client: ssh2.Client;
    beforeAll(async () => {
      client = new ssh2.Client();
      const { host, port, privateKey } = gateway;
      await new Promise<void>((resolve, reject) => {
        client.once('ready', () => resolve()).once('error', reject);
        client.connect({ sock: connectTcp({ host, port, noDelay: true }), username: 'root', privateKey });
      });
    });
    afterAll(() => client.end());

    /** Sends whatever text with the service’s own key, past the connector. */
    function send(text: string): Promise<{ output: string; status: number | null }> {
      return new Promise((resolve, reject) => {
        client.exec(text, (error, channel) => {
          if (error) return reject(error);
          let output = '';
          let status: number | null = null;
          channel.on('data', (chunk: Buffer) => (output += chunk.toString()));
          channel.on('exit', (code: number | null) => (status = code));
          channel.on('close', () => resolve({ output, status }));
        });
      });
    }

    it.each([
      '',
      'id',
      'hello; touch /etc/quartermaster/pwned',
      'hello $(touch /etc/quartermaster/pwned)',
      'hello `touch /etc/quartermaster/pwned`',
      'hello\ntouch /etc/quartermaster/pwned',
      'hello | tee /etc/quartermaster/pwned',
      'suspend 0',
      'suspend -1',
      'suspend 99999999999999999999',
      'remove 1',
      'create root bQ v e',
      'create ../x bQ v e',
      'create -o bQ v e',
      'create .b bQ v e',
      'grant 20000 *',
      'find ..b --help',
      'list -1',
      'list 0 0',
      'lockdown --',
      'lockdown ../krl',
      'lockdown ada,..',
      'hello  list',
      ' hello',
      'x'.repeat(5_000),
    ])('refuses %j and runs nothing', async (text) => {
      const before = readFileSync(join(gateway.etc, 'passwd'), 'utf8');
      const { output, status } = await send(text);
      expect(output).toMatch(/^error (invalid|forbidden|not-found)/);
      expect(status).toBe(1);
      expect(existsSync(join(gateway.etc, 'quartermaster', 'pwned'))).toBe(false);
      expect(readFileSync(join(gateway.etc, 'passwd'), 'utf8')).toBe(before);
    });

    it('is all that the key may do: no terminal, no forwarding, no files', async () => {
      const { host, port } = gateway;
      const refused = await new Promise((resolve) => client.forwardOut('127.0.0.1', 1, host, port, resolve));
      expect(refused).toBeInstanceOf(Error);
      const sftp = await new Promise((resolve) => client.sftp(resolve));
      expect(sftp).toBeInstanceOf(Error);
    });
  });

  describe('given what is wrong', () => {
    it.each([
      ['a port where nothing listens', { port: 1 }, 'transient', /nothing listens/],
      ['a host that doesn’t exist', { host: 'gateway.invalid' }, 'transient', /could not be resolved/],
      ['a user that may not sign in', { user: 'daemon' }, 'auth-broken', /does not let the service’s key in/],
      ['a host key that is none', { hostKey: 'MD5 aa:bb' }, 'invalid', /hostKey/],
    ] as const)('says what is wrong with %s', async (_what, differing, kind, message) => {
      const opening = open({ settings: { ...settings, ...differing } });
      await expect(opening).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    });

    it('believes no other host key, of the same kind or another', async () => {
      for (const type of ['ed25519', 'rsa'] as const) {
        const hostKey = newDevice(type).publicKey;
        await expect(open({ settings: { ...settings, hostKey } })).rejects.toMatchObject({
          kind: 'auth-broken',
          message: expect.stringContaining('another host key'),
        });
      }
    });

    it.each([
      ['privateKey', 'no key at all', /service’s own key/],
      ['caKey', 'no key at all', /authority’s key/],
    ])('says so when the secret %s is %s', async (name, text, message) => {
      const secrets = { ...good.secrets, [name]: text };
      await expect(open({ secrets })).rejects.toMatchObject({
        kind: 'auth-broken',
        message: expect.stringMatching(message),
      });
    });

    it('says so when something else than SSH answers', async () => {
      const website = createHttpServer((_request, response) => response.end('<h1>hello</h1>'));
      await new Promise<void>((resolve) => website.listen(0, '127.0.0.1', resolve));
      const { port } = website.address() as AddressInfo;
      await expect(open({ settings: { ...settings, port }, call: callWithin(3_000) })).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('does not answer like an SSH server'),
      });
      website.close();
    });

    it('is over at its deadline when nothing answers', async () => {
      const silent = createServer(() => undefined);
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as AddressInfo;
      const started = Date.now();
      const opening = open({ settings: { ...settings, port }, call: callWithin(500) });
      await expect(opening).rejects.toMatchObject({
        kind: 'transient',
        message: expect.stringMatching(/in the time given/),
      });
      expect(Date.now() - started).toBeLessThan(2_000);
      silent.close();
    });

    it('refuses a private address unless the tool allows it', async () => {
      await expect(open({ allowPrivateAddresses: false })).rejects.toMatchObject({ kind: 'forbidden' });
    });

    it.each(['Ada', 'ada lovelace', '-rf', 'o\'brien"; rm -rf /', '李小龍', 'n'.repeat(33), 'root', 'unknown', ''])(
      'makes no account called %j',
      async (username) => {
        const before = readFileSync(join(gateway.etc, 'passwd'), 'utf8');
        const creating = withSession((session) => session.createAccount?.(newPerson(username)));
        await expect(creating).rejects.toMatchObject({ kind: 'invalid' });
        expect(readFileSync(join(gateway.etc, 'passwd'), 'utf8')).toBe(before);
      },
    );
  });
});

describe.skipIf(!hasSshd())('the SSH gateway connector’s check', () => {
  it.each([
    ['TrustedUserCAKeys', 'TrustedUserCAKeys /etc/quartermaster/host_ca.pub', ['issueCertificate']],
    ['RevokedKeys', '', ['revokeDevice']],
    [
      'AuthorizedPrincipalsCommand',
      'AuthorizedPrincipalsCommand /bin/echo %u',
      ['suspendAccount', 'resetCredentials', 'revokeAccess', 'lockDown'],
    ],
    ['PasswordAuthentication', 'PasswordAuthentication yes', ['resetCredentials', 'revokeDevice', 'lockDown']],
    ['AuthorizedKeysFile', 'AuthorizedKeysFile .ssh/authorized_keys', ['resetCredentials', 'revokeDevice', 'lockDown']],
    [
      'AuthorizedKeysCommand',
      'AuthorizedKeysCommand /bin/true %u\nAuthorizedKeysCommandUser nobody',
      ['resetCredentials', 'revokeDevice', 'lockDown'],
    ],
  ])('names %s when sshd isn’t set up for it', async (keyword, line, capabilities) => {
    const gateway = await startGateway({ sshdConfig: { [keyword]: line } });
    const { host, port, hostKey, privateKey, caKey } = gateway;
    const settings = { host, port, user: 'root', hostKey, certificateMinutes: 60 };
    const connection = {
      settings,
      secrets: { privateKey, caKey },
      allowPrivateAddresses: true,
      call: callWithin(15_000),
    };
    try {
      const session = await sshGatewayConnector.open(connection);
      const { missing } = await session.check();
      expect(missing.map(({ capability }) => capability)).toEqual(capabilities);
      for (const { permission, remedy } of missing) {
        expect(permission.toLowerCase()).toContain(keyword.toLowerCase());
        expect(remedy).not.toBe('');
      }
      await session.close();
    } finally {
      await gateway.stop();
    }
  });

  it('says so when the key runs another command', async () => {
    const gateway = await startGateway({ command: '/bin/echo hello' });
    const { host, port, hostKey, privateKey, caKey } = gateway;
    const settings = { host, port, user: 'root', hostKey, certificateMinutes: 60 };
    const session = await sshGatewayConnector.open({
      settings,
      secrets: { privateKey, caKey },
      allowPrivateAddresses: true,
      call: callWithin(15_000),
    });
    await expect(session.check()).rejects.toMatchObject({
      kind: 'invalid',
      remedy: expect.stringContaining('quartermaster-gateway'),
    });
    await session.close();
    await gateway.stop();
  });
});
