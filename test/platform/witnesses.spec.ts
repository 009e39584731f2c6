import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { PublishAuditLog } from '../../src/alerting/publish-audit-log.service.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { CosignatureVerifier, newCosigningKey } from '../../src/platform/audit/cosignature.js';
import { LogKey } from '../../src/platform/audit/log-key.service.js';
import { MerkleTree } from '../../src/platform/audit/merkle-tree.js';
import { Sealer } from '../../src/platform/audit/sealer.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { AskWitnesses } from '../../src/witnesses/ask-witnesses.service.js';
import { WitnessReadings } from '../../src/witnesses/witness-readings.service.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { freePort } from '../../scripts/embedded/free-port.js';
import { buildLogVerifier, hasLogVerifier } from '../support/log-verifier.js';
import { startProcess, type TestProcess } from '../support/processes.js';

const NAME = 'witness.example/w1';

let service: ServiceApp;
let folder: string;
let place: string;
/** The public keys of the log and of the witness. */
let key: string;
let witnessKey: string;
let url: string;
let serving: TestProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'witnesses-'));
  place = join(folder, 'place');
  await mkdir(place);
  service = await startServiceApp({ env: { AUDIT_PUBLISH_TO: place, OBSERVATIONS_KEPT_DAYS: '0' } });
  await service.db.transaction((tx) => service.app.get(LogKey).make(tx, 'acme.example/audit'));
  key = (await cli('audit', 'key')).out;
  const files = ['--key', join(folder, 'witness.key'), '--state', join(folder, 'witness.json')];
  witnessKey = (await cli('audit', 'witness', 'init', NAME, ...files)).out;
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const args = ['audit', 'witness', 'serve', ...files, '--log', key, '--listen', `127.0.0.1:${port}`];
  serving = startProcess({ program: 'dist/src/cli.main.js', args });
  await serving.waitForLine(/^Witness witness\.example\/w1\+.* ready at http:\/\/127\.0\.0\.1:\d+$/m);
});
afterAll(async () => {
  await serving?.kill('SIGTERM');
  await service?.close();
});

/** Somebody at the server's terminal. */
async function cli(...words: string[]): Promise<{ code: number; out: string; note: string }> {
  const [out, note]: [string[], string[]] = [[], []];
  const context = cliContext(
    { DATABASE_URL: service.database.url },
    (line) => out.push(line),
    (line) => note.push(line),
  );
  const code = await runCli(words, { ...context, withServices: (work) => work(service.app) });
  return { code, out: out.join('\n'), note: note.join('\n') };
}

/** @returns how many entries are sealed then */
async function seal(count: number): Promise<number> {
  const entries = Array.from({ length: count }, (_, at) => ({ subject: { kind: 'person', id: String(at) } }));
  await new AuditService().recordAll(service.db.manager, SYSTEM, 'test.happened', entries);
  await service.app.get(Sealer).seal();
  const [log] = await service.db.query<{ size: number }[]>(`SELECT size FROM audit_log`);
  return log?.size ?? 0;
}

/** As a worker does when the pause is over. */
async function ask(): Promise<void> {
  await service.db.query(`UPDATE audit_witnesses SET ask_after = now()`);
  await service.app.get(AskWitnesses).askOrTell();
}

/** What was sealed up to now has waited long enough for witnesses. */
async function letTimePass(): Promise<void> {
  const { db } = service;
  await db.query(`ALTER TABLE audit_checkpoints DISABLE TRIGGER USER`);
  await db.query(`UPDATE audit_checkpoints SET sealed_at = sealed_at - interval '1 minute'`);
  await db.query(`ALTER TABLE audit_checkpoints ENABLE TRIGGER USER`);
}

async function published(): Promise<{ size: number; isCosigned: boolean }> {
  const note = await readFile(join(place, 'checkpoint'), 'utf8');
  return { size: Number(note.split('\n')[1]), isCosigned: note.includes(`— ${NAME} `) };
}

const cosignedSizes = async (name = NAME): Promise<number[]> =>
  (
    await service.db.query<{ size: number }[]>(
      `SELECT size FROM audit_cosignatures WHERE key LIKE $1 || '+%' ORDER BY size`,
      [name],
    )
  ).map(({ size }) => size);

async function openAlerts(): Promise<{ kind: string; message: string }[]> {
  return service.db.query(`SELECT kind, message FROM alerts WHERE resolved_at IS NULL ORDER BY kind`);
}

describe('a witness that was added', () => {
  it('cosigns the newest checkpoint, and the checkpoint shows it to whoever asks', async () => {
    const owner = await service.caller();
    const added = await owner.post('/v1/audit/witnesses').send({ url, key: witnessKey, allowPrivateAddresses: true });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ name: NAME, key: witnessKey, size: 0, cosignedAt: null });
    expect(added.headers['location']).toBe(`/v1/audit/witnesses/${added.body.id}`);
    expect((await owner.get('/v1/audit/checkpoint?cosigned=true')).status).toBe(404);
    await seal(300);
    const size = await seal(5);
    await ask();
    expect(await cosignedSizes()).toEqual([size]);
    const { body: installation } = await owner.get('/v1/installation');
    expect(installation).toMatchObject({ audit: { sealed: size, dropped: 0 }, observationsKeptDays: null });
    const seen = await owner.get('/v1/audit/checkpoint');
    expect(seen.body).toMatchObject({ size });
    const cosigned = CosignatureVerifier.parse(witnessKey).read(String(seen.body.checkpoint));
    expect(Math.abs(Date.now() - (cosigned?.at.getTime() ?? 0))).toBeLessThan(60_000);
    expect((await cli('audit', 'checkpoint')).out).toBe(String(seen.body.checkpoint).trimEnd());
    const { items } = (await owner.get('/v1/audit/witnesses')).body as { items: unknown[] };
    expect(items).toMatchObject([{ name: NAME, size, cosignedAt: cosigned?.at.toISOString(), problem: null }]);
    expect((await cli('audit', 'status')).out).toContain(`cosigned by ${NAME}: ${size} entries`);
  });

  it.skipIf(!hasLogVerifier())('signs what an independent reader accepts', async () => {
    const verifier = await buildLogVerifier(folder);
    const file = join(folder, 'cosigned.txt');
    const { out } = await cli('audit', 'checkpoint', '--cosigned');
    await writeFile(file, `${out}\n`);
    expect(await verifier('cosigned', key, witnessKey, file)).toMatch(/^ok \d+ entries at \d+$/);
    await writeFile(file, `${out.replace(/\n\d+\n/, '\n9\n')}\n`);
    expect(await verifier('cosigned', key, witnessKey, file)).toMatch(/invalid|unverified/);
  });

  it('is asked with a proof from where it stands, also when that was forgotten here', async () => {
    const size = await seal(400);
    await ask();
    expect((await cosignedSizes()).at(-1)).toBe(size);
    await service.db.query(`UPDATE audit_witnesses SET size = 3`);
    const next = await seal(1);
    await ask();
    expect((await cosignedSizes()).at(-1)).toBe(next);
    expect(await openAlerts()).toEqual([]);
  });

  it('has what it signed published, also when it answers after the publication', async () => {
    const publisher = service.app.get(PublishAuditLog);
    const size = await seal(10);
    await letTimePass();
    await publisher.publishOrTell();
    expect(await published()).toMatchObject({ size, isCosigned: false });
    await ask();
    await publisher.publishOrTell();
    expect(await published()).toMatchObject({ size, isCosigned: true });
  });

  it('is waited for by the publication for some seconds, and not longer', async () => {
    const publisher = service.app.get(PublishAuditLog);
    const before = await published();
    const size = await seal(10);
    await publisher.publishOrTell();
    expect(await published()).toEqual(before);
    await letTimePass();
    await publisher.publishOrTell();
    expect(await published()).toMatchObject({ size, isCosigned: false });
  });

  it('that is away is told of after a while, nothing waits for it, and it is asked again', async () => {
    const move = (to: string) => service.db.query(`UPDATE audit_witnesses SET url = $1`, [to]);
    await move(`http://127.0.0.1:${await freePort()}`);
    const size = await seal(10);
    await ask();
    expect(await openAlerts()).toEqual([]);
    expect((await cli('audit', 'witness', 'list')).out).toContain('nothing listens there');
    expect(await service.app.get(WitnessReadings).read()).toEqual([
      {
        name: 'quartermaster_audit_uncosigned_age_seconds',
        labels: { witness: NAME },
        value: expect.closeTo(0, -3),
      },
    ]);
    await service.db.query(`UPDATE audit_witnesses SET failing_since = now() - interval '20 minutes'`);
    await ask();
    expect(await openAlerts()).toMatchObject([{ kind: 'witness_away', message: expect.stringContaining(NAME) }]);
    await move(url);
    await ask();
    expect(await openAlerts()).toEqual([]);
    expect((await cosignedSizes()).at(-1)).toBe(size);
  });
});

describe('an auditor who demands a witness’s cosignature', () => {
  it('learns of the file and of the database until when the witness has seen the log', async () => {
    const file = join(folder, 'log.jsonl');
    await cli('audit', 'export', file);
    const words = ['--key', key, '--witness', witnessKey];
    const said = expect.stringMatching(/^witness\.example\/w1 cosigned the first \d+ entries at \d{4}-/);
    expect(await cli('audit', 'verify', '--offline', file, ...words)).toMatchObject({ code: 0, note: said });
    expect(await cli('audit', 'verify', ...words)).toMatchObject({ code: 0, note: said });
    const stranger = newCosigningKey('witness.example/w2').cosigner.verifier.toString();
    const refused = await cli('audit', 'verify', '--offline', file, ...words, stranger);
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('is cosigned by witness.example/w2') });
  });

  it('learns it of the proof of one entry', async () => {
    const [entry] = await service.db.query<{ id: string }[]>(`SELECT id FROM audit_entries WHERE leaf_index = 3`);
    await seal(1);
    const file = join(folder, 'entry.tlog-proof');
    await writeFile(file, `${(await cli('audit', 'prove', entry?.id ?? '')).out}\n`);
    const words = ['audit', 'verify', '--proof', file, '--key', key, '--witness'];
    expect(await cli(...words, witnessKey)).toMatchObject({ code: 0, note: expect.stringContaining('cosigned its') });
    const stranger = newCosigningKey('witness.example/w2').cosigner.verifier.toString();
    expect(await cli(...words, stranger)).toMatchObject({
      code: 1,
      note: expect.stringContaining('isn’t cosigned by'),
    });
  });
});

describe('a witness', () => {
  it('is named once, listed and removed at the terminal; both are in the audit log', async () => {
    const named = newCosigningKey('witness.example/w3').cosigner.verifier.toString();
    const add = ['audit', 'witness', 'add', 'https://w3.example', '--key', named];
    expect((await cli(...add)).code).toBe(0);
    expect(await cli(...add)).toMatchObject({ code: 1, note: expect.stringContaining('already') });
    expect(JSON.parse((await cli('audit', 'witness', 'list', '--json')).out)).toMatchObject([
      { name: NAME },
      { name: 'witness.example/w3', url: 'https://w3.example' },
    ]);
    expect((await cli('audit', 'witness', 'remove', 'witness.example/w3')).code).toBe(0);
    expect((await cli('audit', 'witness', 'remove', 'witness.example/w3')).code).toBe(1);
    const acts = await service.db.query<{ action: string }[]>(
      `SELECT action FROM audit_entries WHERE subject_kind = 'witness' ORDER BY at, id`,
    );
    expect(acts.map(({ action }) => action)).toEqual(['witness.added', 'witness.added', 'witness.removed']);
  });

  it.each([
    ['plain http', { url: 'http://w.example' }, "isn't reached by https"],
    ['an address inside', { url: 'https://10.0.0.1' }, 'private or reserved'],
    ['a password in its address', { url: 'https://u:p@w.example' }, 'without a user'],
    ['the key of a log', { key: () => key }, 'no key of a witness'],
    ['no key', { key: 'none' }, 'no key of a witness'],
  ])('with %s is refused', async (_what, wrong, why) => {
    const right = { url: 'https://w.example', key: witnessKey };
    const body = { ...right, ...('key' in wrong && { key: typeof wrong.key === 'string' ? wrong.key : wrong.key() }) };
    const owner = await service.caller();
    const answer = await owner.post('/v1/audit/witnesses').send('url' in wrong ? { ...body, url: wrong.url } : body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(why);
  });

  it.each([
    [['serve', '--listen', 'nowhere'], '--listen takes'],
    [['serve', '--state', 'none.json'], 'no state at none.json'],
    [['serve', '--tls-cert', 'cert.pem'], 'go together'],
    [['init', 'no spaces please'], 'can’t be a key’s name'],
  ])('isn’t begun by %j, which says what to do', async (words, why) => {
    const files = ['--key', join(folder, 'witness.key'), '--state', join(folder, 'witness.json')];
    const log = words[0] === 'serve' ? ['--log', key] : [];
    const refused = await cli('audit', 'witness', words[0] ?? '', ...files, ...log, ...words.slice(1));
    expect(refused).toMatchObject({ code: 2, note: expect.stringContaining(why) });
  });

  it('that signs something else isn’t believed, and people are told', async () => {
    const { cosigner } = newCosigningKey('witness.example/liar');
    const answers: [number, string][] = [];
    const liar = createServer((request, response) => {
      request.resume().on('end', () => {
        const [status, text] = answers.shift() ?? [500, ''];
        response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
      });
    });
    await once(liar.listen(0, '127.0.0.1'), 'listening');
    try {
      const address = `http://127.0.0.1:${(liar.address() as AddressInfo).port}/some/prefix/`;
      const words = ['--key', cosigner.verifier.toString(), '--allow-private-addresses'];
      expect((await cli('audit', 'witness', 'add', address, ...words)).code).toBe(0);
      const other = newCosigningKey('witness.example/liar').cosigner;
      for (const [status, text, why] of [
        [404, '', 'doesn’t know this log'],
        [200, 'welcome\n', 'no signed note'],
        [200, `${other.cosign('something\n', new Date())}\n`, 'signed with another key'],
        [200, `${cosigner.cosign('something\n', new Date())}\n`, 'isn’t right'],
      ] as const) {
        answers.push([status, text]);
        await seal(1);
        await ask();
        const { out } = await cli('audit', 'witness', 'list');
        expect(out).toContain(why);
      }
      expect(await cosignedSizes('witness.example/liar')).toEqual([]);
      expect(await openAlerts()).toMatchObject([{ kind: 'witness_untrusted' }]);
      await cli('audit', 'witness', 'remove', 'witness.example/liar');
      expect(await openAlerts()).toEqual([]);
    } finally {
      liar.close();
    }
  });
});

/** At the end: from here on the log isn’t the one that the witness has seen. */
describe('somebody who writes to the database past the service', () => {
  it('and cuts the end off, or forks the log, is told of by the witness', async () => {
    const seen = await seal(1);
    await ask();
    const { out } = await cli('audit', 'checkpoint', '--cosigned');
    const kept = join(folder, 'kept.txt');
    await writeFile(kept, `${out}\n`);
    const older = await putBackBefore(seen);
    expect(older).toBeLessThan(seen);
    await ask();
    expect(await openAlerts()).toMatchObject([
      { kind: 'audit_log_broken', message: expect.stringContaining('The end was cut off') },
    ]);
    await service.db.query(`UPDATE alerts SET resolved_at = now()`);
    await seal(100);
    await ask();
    expect(await openAlerts()).toMatchObject([
      { kind: 'audit_log_broken', message: expect.stringContaining('It saw another log') },
    ]);
    expect((await cosignedSizes()).at(-1)).toBeLessThan(seen);
    const verified = await cli('audit', 'verify', '--key', key, '--witness', witnessKey, '--checkpoint', kept);
    expect(verified).toMatchObject({ code: 1, out: expect.stringContaining('The log was forked') });
  });

  /** As from a backup: everything within the database fits together. */
  async function putBackBefore(size: number): Promise<number> {
    const { db } = service;
    for (const table of ['audit_entries', 'audit_checkpoints'])
      await db.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    const [older] = await db.query<{ size: number }[]>(
      `SELECT max(size) AS size FROM audit_checkpoints WHERE size < $1`,
      [size],
    );
    const left = older?.size ?? 0;
    await db.query(`DELETE FROM audit_cosignatures WHERE size > $1`, [left]);
    await db.query(
      `DELETE FROM audit_personal_fields WHERE entry_id IN (SELECT id FROM audit_entries WHERE leaf_index >= $1)`,
      [left],
    );
    await db.query(`DELETE FROM audit_entries WHERE leaf_index >= $1`, [left]);
    await db.query(`DELETE FROM audit_checkpoints WHERE size > $1`, [left]);
    await db.query(`DELETE FROM audit_tile_roots`);
    const tree = MerkleTree.empty();
    const rows = await db.query<{ hash: Buffer }[]>(
      `SELECT leaf_hash AS hash FROM audit_entries WHERE leaf_index < $1 ORDER BY leaf_index`,
      [left],
    );
    for (const { hash } of rows) tree.append(hash);
    await db.query(`UPDATE audit_log SET size = $1, frontier = $2`, [left, tree.frontier]);
    return left;
  }
});
