import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { PublishAuditLog } from '../../src/alerting/publish-audit-log.service.js';
import { PublicationReadings } from '../../src/alerting/publication-readings.service.js';
import { AlertsService } from '../../src/cases/alerts.service.js';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { createDataSource } from '../../src/data-source.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { BrokenLog } from '../../src/platform/audit/broken-log.js';
import { LogKey } from '../../src/platform/audit/log-key.service.js';
import { shelfAt, type LogShelf } from '../../src/platform/audit/log-shelf.js';
import { publishLog } from '../../src/platform/audit/publish-log.js';
import { Publisher } from '../../src/platform/audit/publisher.service.js';
import { Sealer } from '../../src/platform/audit/sealer.service.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { loadKeyFile } from '../../src/platform/crypto/key-file.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import { SecretVault } from '../../src/platform/crypto/secret-vault.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { Readings } from '../../src/platform/telemetry/readings.service.js';
import { createEmptyDatabase, type TestDatabase } from '../support/database.js';
import { buildLogVerifier, hasLogVerifier, type LogVerifier } from '../support/log-verifier.js';

let database: TestDatabase;
let folder: string;
let db: ReturnType<typeof createDataSource>;
let sealer: Sealer;
let env: Record<string, string>;
let key: string;
let verifier: LogVerifier | null;

beforeAll(async () => {
  database = await createEmptyDatabase();
  folder = await mkdtemp(join(inject('runFolder'), 'published-'));
  env = {
    DATABASE_URL: database.url,
    QUARTERMASTER_KEY_FILE: join(folder, 'key.json'),
    QUARTERMASTER_ENVIRONMENT: 'test',
  };
  await cli('migrate', 'up');
  await cli('init');
  db = await createDataSource({ url: database.url, applicationName: 'publisher', poolSize: 4 }).initialize();
  sealer = new Sealer(
    db,
    new LogKey(new SecretVault(new Keyring(await loadKeyFile(env['QUARTERMASTER_KEY_FILE'] ?? '')))),
  );
  key = (await cli('audit', 'key')).out;
  verifier = hasLogVerifier() ? await buildLogVerifier(folder) : null;
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

async function cli(...words: string[]): Promise<{ code: number; out: string; note: string }> {
  const [out, note]: [string[], string[]] = [[], []];
  const context = cliContext(
    env,
    (line) => out.push(line),
    (line) => note.push(line),
  );
  const code = await runCli(words, context);
  return { code, out: out.join('\n'), note: note.join('\n') };
}

async function seal(count: number): Promise<number> {
  const entries = Array.from({ length: count }, (_, at) => ({ subject: { kind: 'person', id: String(at) } }));
  await new AuditService().recordAll(db.manager, SYSTEM, 'test.happened', entries);
  await sealer.seal();
  const [log] = await db.query<{ size: number }[]>(`SELECT size FROM audit_log`);
  return log?.size ?? 0;
}

/** Who looks after the configured places, as a worker has it. */
function publisherAt(...targets: string[]): { publisher: PublishAuditLog; readings: PublicationReadings } {
  const config = loadConfig({ ...env, AUDIT_PUBLISH_TO: targets.join(' ') });
  return {
    publisher: new PublishAuditLog(db, new Publisher(db, config), new AlertsService()),
    readings: new PublicationReadings(db, config, new Readings()),
  };
}

async function openAlerts(): Promise<{ kind: string; message: string }[]> {
  return db.query(`SELECT kind, message FROM alerts WHERE resolved_at IS NULL ORDER BY kind`);
}

/** What an independent reader says of a folder; where it isn't installed the suite is named as left out. */
async function saidOf(place: string): Promise<string> {
  return verifier
    ? verifier('log', key, place)
    : `ok ${(await readFile(join(place, 'checkpoint'), 'utf8')).split('\n')[1]} entries`;
}

const sizeAt = async (shelf: LogShelf) => Number((await shelf.read('checkpoint'))?.toString('utf8').split('\n')[1]);

describe('a log that is published in a folder', () => {
  let place: string;
  beforeEach(async () => {
    place = await mkdtemp(join(folder, 'place-'));
  });

  it('is complete, goes on where it ended, and an independent reader accepts all of it', async () => {
    await seal(600);
    const { publisher } = publisherAt(place);
    await publisher.publishOrTell();
    const first = await sizeAt(shelfAt(place));
    expect(await saidOf(place)).toBe(`ok ${first} entries`);
    const size = await seal(9_000);
    await publisher.publishOrTell();
    expect(size).toBe(first + 9_000);
    expect(await saidOf(place)).toBe(`ok ${size} entries`);
    expect((await readdir(place)).toSorted()).toEqual(['checkpoint', 'tile']);
  });

  it('is as it was while nothing is new, and never holds a checkpoint whose tiles aren’t there', async () => {
    await seal(300);
    const written: string[] = [];
    const shelf = shelfAt(place);
    const watched: LogShelf = {
      read: (path) => shelf.read(path),
      write: async (path, content) => {
        written.push(path);
        await shelf.write(path, content);
      },
    };
    await publishLog(db, watched);
    expect(written.at(-1)).toBe('checkpoint');
    expect(written.filter((path) => path === 'checkpoint').length).toBeLessThan(3);
    const before = written.length;
    await publishLog(db, watched);
    expect(written).toHaveLength(before);
  });

  it('is taken up again after an outage in the middle, with nothing written twice', async () => {
    await seal(1_000);
    const shelf = shelfAt(place);
    let left = 5;
    const failing: LogShelf = {
      read: (path) => shelf.read(path),
      write: async (path, content) => {
        if (left-- <= 0) throw new Error('the disk is full');
        await shelf.write(path, content);
      },
    };
    await expect(publishLog(db, failing)).rejects.toThrow('the disk is full');
    expect(await shelf.read('checkpoint')).toBeNull();
    const { size } = await publishLog(db, shelf);
    expect(await saidOf(place)).toBe(`ok ${size} entries`);
  });

  it('never has a tile replaced by another', async () => {
    await seal(300);
    const shelf = shelfAt(place);
    await publishLog(db, shelf);
    await rm(join(place, 'checkpoint'));
    await writeFile(join(place, 'tile/0/000'), Buffer.alloc(8192, 1));
    await expect(publishLog(db, shelf)).rejects.toThrow(BrokenLog);
    expect((await shelf.read('tile/0/000'))?.equals(Buffer.alloc(8192, 1))).toBe(true);
    expect(await shelf.read('checkpoint')).toBeNull();
  });

  it('by two publishers at once is one log', async () => {
    const size = await seal(700);
    const { publisher } = publisherAt(place);
    await Promise.all([publisher.publishOrTell(), publisherAt(place).publisher.publishOrTell()]);
    expect(await saidOf(place)).toBe(`ok ${size} entries`);
    expect(await openAlerts()).toEqual([]);
  });

  it('that can’t be written is told in the status and the metrics, and is made up for', async () => {
    await seal(10);
    const blocked = join(place, 'file');
    await writeFile(blocked, '');
    const { publisher, readings } = publisherAt(join(blocked, 'log'));
    await publisher.publishOrTell();
    expect((await cli('audit', 'status')).out).toContain('ENOTDIR');
    expect(await readings.read()).toContainEqual({
      name: 'quartermaster_audit_unpublished_age_seconds',
      labels: { target: join(blocked, 'log') },
      value: expect.any(Number),
    });
    expect(await openAlerts()).toEqual([]);
    await db.query(
      `UPDATE audit_publications SET failing_since = now() - interval '20 minutes' WHERE problem IS NOT NULL`,
    );
    await publisher.publishOrTell();
    expect(await openAlerts()).toMatchObject([{ kind: 'audit_log_unpublished' }]);
    await rm(blocked);
    await publisher.publishOrTell();
    expect(await openAlerts()).toEqual([]);
    expect((await readings.read()).map(({ value }) => value)).toEqual([0, 0]);
  });
});

describe('a log in a bucket', () => {
  let bucket: S3rver;
  let address: string;

  beforeAll(async () => {
    bucket = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: join(folder, 'buckets'),
      configureBuckets: [{ name: 'audit', configs: [] }],
    });
    const { port } = await bucket.run();
    address = `s3://audit/acme?endpoint=http://127.0.0.1:${port}&region=eu-central-1`;
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER');
  });
  afterAll(async () => {
    await bucket?.close();
    vi.unstubAllEnvs();
  });

  it('is the same as in a folder', async () => {
    const size = await seal(600);
    expect(await cli('audit', 'publish', '--to', address)).toMatchObject({ code: 0, note: '' });
    const place = await mkdtemp(join(folder, 'place-'));
    await cli('audit', 'publish', '--to', place);
    const shelf = shelfAt(address);
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/001']) {
      expect(await shelf.read(path)).toEqual(await readFile(join(place, path)));
    }
    expect(await sizeAt(shelf)).toBe(size);
    await seal(1);
    await publishLog(db, shelf);
    expect(await sizeAt(shelf)).toBe(size + 1);
  });
});

describe('the command line', () => {
  it('proves an entry to whoever holds the key, without the database, and to an independent reader', async () => {
    await seal(700);
    const [entry] = await db.query<{ id: string }[]>(`SELECT id FROM audit_entries WHERE leaf_index = 300`);
    const { code, out } = await cli('audit', 'prove', entry?.id ?? '');
    expect(code).toBe(0);
    const file = join(folder, 'entry.tlog-proof');
    await writeFile(file, `${out}\n`);
    const database = env['DATABASE_URL'] ?? '';
    delete env['DATABASE_URL'];
    const verified = await cli('audit', 'verify', '--proof', file, '--key', key);
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('is entry 300 of a log') });
    const leaf = verified.out.split('\n')[0] ?? '';
    expect(leaf).toContain(entry?.id);
    if (verifier) {
      await writeFile(join(folder, 'leaf.json'), leaf);
      expect(await verifier('proof', key, file, join(folder, 'leaf.json'))).toMatch(/^ok entry 300 of/);
    }
    const extra = `extra ${Buffer.from(leaf.replace('happened', 'was dreamt')).toString('base64')}`;
    await writeFile(file, out.replace(/extra .*/, extra));
    expect(await cli('audit', 'verify', '--proof', file, '--key', key)).toMatchObject({
      code: 1,
      note: expect.stringContaining('doesn’t hold this entry'),
    });
    env['DATABASE_URL'] = database;
  });

  it.each([
    [['publish', '--to', 'relative/folder'], "isn't a place to keep files at"],
    [['publish', '--to', 's3://key:secret@bucket'], 'never from the address'],
    [['prove', 'nobody'], 'no id of an entry'],
    [['prove', '019abcde-0000-7000-8000-000000000000'], 'no entry with this id'],
    [['verify', '--proof', 'none'], 'Give --key'],
  ])('refuses %j and says what to do', async (words, why) => {
    expect(await cli('audit', ...words)).toMatchObject({ note: expect.stringContaining(why) });
  });

  it('starts with no place to publish to that is none', () => {
    expect(() => loadConfig({ ...env, AUDIT_PUBLISH_TO: '/srv/audit ftp://example.com' })).toThrow(
      "AUDIT_PUBLISH_TO isn't a place",
    );
  });
});

/** At the end: what was published before is another log than the one that is left. */
describe('somebody who writes to the database past the service', () => {
  it('and cuts the end off, or forks the log, is told of by what was published', async () => {
    const [cut, forked] = [await mkdtemp(join(folder, 'cut-')), await mkdtemp(join(folder, 'forked-'))];
    await seal(300);
    const { publisher } = publisherAt(cut);
    await publisher.publishOrTell();
    await cp(cut, forked, { recursive: true });
    const size = await sizeAt(shelfAt(cut));
    // Put back to an older state, as from a backup: everything within the database fits together.
    for (const table of ['audit_entries', 'audit_checkpoints']) {
      await db.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
    }
    const [older] = await db.query<{ size: number }[]>(
      `SELECT max(size) AS size FROM audit_checkpoints WHERE size < $1`,
      [size],
    );
    await db.query(`DELETE FROM audit_entries WHERE leaf_index >= $1`, [older?.size]);
    await db.query(`DELETE FROM audit_checkpoints WHERE size > $1`, [older?.size]);
    await db.query(`DELETE FROM audit_tile_roots`);
    await db.query(`UPDATE audit_log SET size = $1, frontier = $2`, [older?.size, await frontierAt(older?.size ?? 0)]);
    await publisher.publishOrTell();
    expect(await openAlerts()).toMatchObject([
      { kind: 'audit_log_broken', message: expect.stringContaining('The end was cut off') },
    ]);
    await seal(400);
    await publisherAt(forked).publisher.publishOrTell();
    expect((await openAlerts()).map(({ message }) => message).join('\n')).toContain('The log was forked');
    expect(await sizeAt(shelfAt(cut))).toBe(size);
    expect(await sizeAt(shelfAt(forked))).toBe(size);
  });

  async function frontierAt(size: number): Promise<Buffer> {
    const { MerkleTree } = await import('../../src/platform/audit/merkle-tree.js');
    const tree = MerkleTree.empty();
    const rows = await db.query<{ leaf_hash: Buffer }[]>(
      `SELECT leaf_hash FROM audit_entries WHERE leaf_index < $1 ORDER BY leaf_index`,
      [size],
    );
    for (const { leaf_hash } of rows) tree.append(leaf_hash);
    return tree.frontier;
  }
});

/** And it can’t be published anew. */
describe('a log whose first entries were dropped', () => {
  it('goes on at a place that has them, and is refused at a new one', async () => {
    await seal(600);
    const place = await mkdtemp(join(folder, 'place-'));
    await publishLog(db, shelfAt(place));
    expect(await cli('audit', 'drop', '--before', '2100-01-01', '--even-unpublished')).toMatchObject({ code: 0 });
    const size = await seal(300);
    expect(await publishLog(db, shelfAt(place))).toEqual({ size, cosignatures: 0 });
    expect(await saidOf(place)).toBe(`ok ${size} entries`);
    const elsewhere = await mkdtemp(join(folder, 'place-'));
    await expect(publishLog(db, shelfAt(elsewhere))).rejects.toThrow('were dropped here');
    expect(await readdir(elsewhere)).toEqual([]);
  });
});
