import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { createDataSource } from '../../src/data-source.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { checkpointText } from '../../src/platform/audit/checkpoint.js';
import { LEAF_COLUMNS, leafOf, leafText, type LeafRow } from '../../src/platform/audit/leaf.js';
import { LogKey } from '../../src/platform/audit/log-key.service.js';
import { BrokenLog } from '../../src/platform/audit/broken-log.js';
import { leafHash } from '../../src/platform/audit/merkle-tree.js';
import { Sealer } from '../../src/platform/audit/sealer.service.js';
import { loadKeyFile } from '../../src/platform/crypto/key-file.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import { SecretVault } from '../../src/platform/crypto/secret-vault.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { aCase } from '../factories/cases.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let folder: string;
let db: ReturnType<typeof createDataSource>;
let sealer: Sealer;
/** The tables' owner, with the triggers that guard history out of the way. */
let intruder: pg.Client;
let env: Record<string, string>;

beforeEach(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(inject('runFolder'), 'log-'));
  env = {
    DATABASE_URL: database.url,
    QUARTERMASTER_KEY_FILE: join(folder, 'key.json'),
    QUARTERMASTER_ENVIRONMENT: 'test',
  };
  await cli('init');
  db = await createDataSource({ url: database.url, applicationName: 'sealer', poolSize: 4 }).initialize();
  const vault = new SecretVault(new Keyring(await loadKeyFile(env['QUARTERMASTER_KEY_FILE'] ?? '')));
  sealer = new Sealer(db, new LogKey(vault));
  intruder = new pg.Client(database.url);
  await intruder.connect();
  for (const table of ['audit_entries', 'audit_personal_fields', 'audit_checkpoints']) {
    await intruder.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  }
});
afterEach(async () => {
  await intruder?.end();
  await db?.destroy();
  await database?.drop();
});

async function cli(...words: string[]): Promise<{ code: number; out: string; note: string }> {
  const [out, note]: [string[], string[]] = [[], []];
  const code = await runCli(
    words,
    cliContext(
      env,
      (line) => out.push(line),
      (line) => note.push(line),
    ),
  );
  return { code, out: out.join('\n'), note: note.join('\n') };
}

async function record(count: number, tx = db.manager): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await new AuditService().record(tx, SYSTEM, 'test.happened', {
      subject: { kind: 'person', id: String(at) },
      facts: { ümlaut: '🦊', at: 1.5, deep: { b: 1, a: [null, true] } },
      personal: { name: 'Ada' },
    });
  }
}

async function exported(name: string): Promise<{ file: string; key: string }> {
  const file = join(folder, name);
  expect(await cli('audit', 'export', file)).toMatchObject({ code: 0 });
  return { file, key: (await cli('audit', 'key')).out };
}

describe('the sealer', () => {
  it('gives every entry a place once, also one whose transaction commits late, and several sealers don’t collide', async () => {
    const late = db.createQueryRunner();
    await late.startTransaction();
    await record(1, late.manager);
    await record(1_200);
    const counts = await Promise.all([sealer.seal(), sealer.seal(), sealer.seal()]);
    expect(counts.reduce((all, one) => all + one)).toBe(1_200);
    await late.commitTransaction();
    await late.release();
    expect(await sealer.seal()).toBe(1);
    expect(await sealer.seal()).toBe(0);
    expect(await cli('audit', 'verify')).toMatchObject({ code: 0, out: '1201 entries are as they were sealed.' });
  });

  it('leaves entries valid that the version before sealed beside it', async () => {
    const actor = { ...SYSTEM, from: { via: 'terminal' as const } };
    await new AuditService().record(db.manager, actor, 'test.happened', {});
    // It knows neither column: its leaf is the first form, and it names none.
    const [row] = await db.query<LeafRow[]>(`SELECT ${LEAF_COLUMNS} FROM audit_entries`);
    const hash = leafHash(leafText(leafOf({ ...(row as LeafRow), leafVersion: null })));
    const signer = await new LogKey(
      new SecretVault(new Keyring(await loadKeyFile(env['QUARTERMASTER_KEY_FILE'] ?? ''))),
    ).signer(db.manager);
    const note = signer?.sign(checkpointText({ origin: signer.verifier.name, size: 1, root: hash }));
    await db.query(`UPDATE audit_entries SET leaf_index = 0, leaf_hash = $1`, [hash]);
    await db.query(`INSERT INTO audit_checkpoints (size, note) VALUES (1, $1)`, [note]);
    await db.query(`UPDATE audit_log SET size = 1, frontier = $1`, [hash]);
    await new AuditService().record(db.manager, actor, 'test.happened', {});
    await sealer.seal();
    expect(await cli('audit', 'verify')).toMatchObject({ code: 0, out: '2 entries are as they were sealed.' });
  });

  it('seals nothing more once what it remembers isn’t what its checkpoint says', async () => {
    await record(3);
    await sealer.seal();
    await intruder.query(`UPDATE audit_log SET frontier = decode(repeat('00', 64), 'hex')`);
    await record(1);
    await expect(sealer.seal()).rejects.toThrow(BrokenLog);
    await intruder.query(`DELETE FROM audit_checkpoints`);
    await expect(sealer.seal()).rejects.toThrow('The checkpoint of 3 entries is gone.');
  });

  it('does nothing before `init` has made a key; `init` makes it once', async () => {
    await intruder.query(`UPDATE audit_log SET key_name = NULL, public_key = NULL, secret_id = NULL`);
    await record(1);
    expect(await sealer.seal()).toBe(0);
    expect(await cli('audit', 'verify')).toMatchObject({ code: 1, note: expect.stringContaining('no key yet') });
    expect((await cli('init')).out).toContain('The audit log got its key');
    expect((await cli('init')).out).toContain('Nothing was changed');
    expect(await sealer.seal()).toBe(1);
  });
});

describe('an exported log', () => {
  it('is verified without the database, against a checkpoint that was kept', async () => {
    await record(4);
    await sealer.seal();
    const checkpoint = join(folder, 'kept.txt');
    await writeFile(checkpoint, `${(await cli('audit', 'checkpoint')).out}\n`);
    await record(3);
    await sealer.seal();
    const { file, key } = await exported('log.jsonl');
    env = {};
    expect(await cli('audit', 'verify', '--offline', file, '--key', key, '--checkpoint', checkpoint)).toEqual({
      code: 0,
      out: '7 entries are as they were sealed.',
      note: '',
    });
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, lines.map((line) => line.replace('"id":"3"', '"id":"9"')).join('\n'));
    expect(await cli('audit', 'verify', '--offline', file, '--key', key)).toMatchObject({
      code: 1,
      out: '✗ Entry 3 was changed: it isn’t what was sealed.',
    });
  });

  it('shows a planted edit, deletion, insertion, a cut end and a fork by their names, with no database', async () => {
    await record(5);
    await sealer.seal();
    const kept = join(folder, 'kept.txt');
    await writeFile(kept, `${(await cli('audit', 'checkpoint')).out}\n`);
    const { file, key } = await exported('log.jsonl');
    // Somebody with the database and the log's own key rewrites history and has it sealed once more.
    await intruder.query(`UPDATE audit_entries SET leaf_index = NULL, leaf_hash = NULL`);
    await intruder.query(`UPDATE audit_entries SET action = 'nothing.happened' WHERE subject_id = '2'`);
    await intruder.query(`DELETE FROM audit_checkpoints`);
    await intruder.query(`UPDATE audit_log SET size = 0, frontier = ''`);
    await sealer.seal();
    const forked = await exported('forked.jsonl');
    env = {};

    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const [header, ...rest] = lines as [string, ...string[]];
    const entries = rest.slice(0, 5);
    const [checkpoint = ''] = rest.slice(5);
    const verify = async (name: string, ...changed: string[]) => {
      const forged = join(folder, `${name}.jsonl`);
      await writeFile(forged, `${[header, ...changed].join('\n')}\n`);
      const words = ['--offline', forged, '--key', key, '--checkpoint', kept];
      return (await cli('audit', 'verify', ...words)).out;
    };
    expect(await verify('as it was', ...rest)).toBe('5 entries are as they were sealed.');
    const edited = rest.map((line) => line.replace('"id":"2"', '"id":"9"'));
    expect(await verify('edited', ...edited)).toBe('✗ Entry 2 was changed: it isn’t what was sealed.');
    const without = entries.filter((_, at) => at !== 2);
    expect(await verify('deleted', ...without, checkpoint)).toContain('✗ Entry 2 is missing: after entry 1 comes 3.');
    const between = entries.toSpliced(3, 0, entries[2]?.replace('"id":"2"', '"id":"9"') ?? '');
    expect(await verify('inserted', ...between, checkpoint)).toContain('✗ Entry 2 is there more than once');
    expect(await verify('cut', ...entries.slice(0, 3))).toContain(
      `✗ The end was cut off: ${kept} speaks for 5 entries, and 3 are here.`,
    );
    const words = ['--offline', forked.file, '--key', key];
    expect(await cli('audit', 'verify', ...words)).toMatchObject({ code: 0 });
    expect(await cli('audit', 'verify', ...words, '--checkpoint', kept)).toMatchObject({
      code: 1,
      out: `✗ The log was forked: it isn’t the one that ${kept} speaks for, within its first 5 entries.`,
    });
  });

  it.each([
    [['--offline', 'FILE'], 'Give --key'],
    [['--offline', 'FILE', '--key', 'a+b'], 'no key of a log'],
    [['--offline', 'NONE', '--key', 'KEY'], 'There is no file'],
    [['--offline', 'KEYFILE', '--key', 'KEY'], 'Line 1 of'],
  ])('asked for with %j is refused with what to do', async (words, why) => {
    await record(1);
    await sealer.seal();
    const { file, key } = await exported('log.jsonl');
    const named: Record<string, string> = {
      FILE: file,
      KEY: key,
      NONE: join(folder, 'none'),
      KEYFILE: env['QUARTERMASTER_KEY_FILE'] ?? '',
    };
    const { code, note } = await cli('audit', 'verify', ...words.map((word) => named[word] ?? word));
    expect(code).not.toBe(0);
    expect(note).toContain(why);
  });

  it('is never written over a file that is there', async () => {
    await record(1);
    await sealer.seal();
    await exported('log.jsonl');
    expect(await cli('audit', 'export', join(folder, 'log.jsonl'))).toMatchObject({
      code: 1,
      note: expect.stringContaining('there already'),
    });
  });
});

describe('somebody who writes to the database past the service', () => {
  it.each([
    [
      'edits from where something was done',
      `UPDATE audit_entries SET context = '{"via": "terminal"}' WHERE leaf_index = 2`,
      'Entry 2 was changed',
    ],
    [
      'passes it off as one of the version before',
      `UPDATE audit_entries SET leaf_version = NULL WHERE leaf_index = 2`,
      'Entry 2 was changed',
    ],
    ['edits an entry', `UPDATE audit_entries SET action = 'nothing' WHERE leaf_index = 2`, 'Entry 2 was changed'],
    [
      'takes an entry out',
      `DELETE FROM audit_personal_fields; DELETE FROM audit_entries WHERE leaf_index = 2`,
      'Entry 2 is missing',
    ],
    [
      'edits a personal field',
      `UPDATE audit_personal_fields SET value = 'Eve' WHERE entry_id = (SELECT id FROM audit_entries WHERE leaf_index = 2)`,
      'A personal field was changed',
    ],
    [
      'cuts the end off',
      `DELETE FROM audit_personal_fields; DELETE FROM audit_entries WHERE leaf_index > 2`,
      'The end was cut off: a checkpoint speaks for 5 entries, and 3 are here.',
    ],
  ])('and %s is found out', async (_what, sql, finding) => {
    await record(5);
    await sealer.seal();
    await intruder.query(sql);
    expect(await cli('audit', 'verify')).toMatchObject({ code: 1, out: expect.stringContaining(finding) });
  });
});

describe('old entries', () => {
  const places = async () => {
    const [row] = await db.query<{ first: number; count: number }[]>(
      `SELECT min(leaf_index) AS first, count(*)::int AS count FROM audit_entries`,
    );
    return row;
  };
  /** Of long ago, as the triggers would not let anybody write them. */
  const recordOld = async (count: number) => {
    const entries = Array.from({ length: count }, () => ({ subject: { kind: 'person', id: 'p' } }));
    await new AuditService().recordAll(db.manager, SYSTEM, 'test.happened', entries);
    await intruder.query(`UPDATE audit_entries SET at = '2019-05-01T12:00:00Z' WHERE leaf_index IS NULL`);
    await sealer.seal();
  };

  it('are dropped in whole tiles, and every proof, checkpoint and export of what is kept stays valid', async () => {
    await recordOld(600);
    const kept = join(folder, 'kept.txt');
    await writeFile(kept, `${(await cli('audit', 'checkpoint')).out}\n`);
    await record(100);
    await sealer.seal();
    const [entry] = await db.query<{ id: string }[]>(`SELECT id FROM audit_entries WHERE leaf_index = 650`);
    const early = join(folder, 'early.tlog-proof');
    await writeFile(early, `${(await cli('audit', 'prove', entry?.id ?? '')).out}\n`);
    const whole = await exported('whole.jsonl');

    expect(await cli('audit', 'drop', '--before', '2020-01-01')).toMatchObject({
      code: 0,
      out: 'Dropped 512 entries; those from 512 on stay.',
    });
    await sealer.seal();
    expect(await places()).toEqual({ first: 512, count: 189 });
    expect(await cli('audit', 'drop', '--before', '2020-01-01')).toMatchObject({
      out: expect.stringContaining('nothing to drop'),
    });

    const verified = {
      code: 0,
      out: '189 entries are as they were sealed.',
      note: 'Entries 0 to 511 are dropped, as an entry says.',
    };
    expect(await cli('audit', 'verify', '--checkpoint', kept)).toEqual(verified);
    const late = join(folder, 'late.tlog-proof');
    await writeFile(late, `${(await cli('audit', 'prove', entry?.id ?? '')).out}\n`);
    const { file, key } = await exported('rest.jsonl');
    env = {};
    expect(await cli('audit', 'verify', '--offline', file, '--key', key, '--checkpoint', kept)).toEqual(verified);
    for (const proof of [early, late]) {
      expect(await cli('audit', 'verify', '--proof', proof, '--key', key)).toMatchObject({ code: 0 });
    }
    // What was exported before it proves the dropped ones for as long as it is kept.
    expect(await cli('audit', 'verify', '--offline', whole.file, '--key', key, '--checkpoint', kept)).toMatchObject({
      code: 0,
      out: '700 entries are as they were sealed.',
    });
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.includes('audit.entries-dropped'));
    await writeFile(file, lines.join('\n'));
    expect((await cli('audit', 'verify', '--offline', file, '--key', key)).out).toContain(
      'Entries 0 to 511 are missing, and no sealed entry says that they were dropped.',
    );
  });

  it('stay while something isn’t as it was sealed, or isn’t published where the log is', async () => {
    await recordOld(300);
    await db.query(`INSERT INTO audit_publications (target, size) VALUES ('/srv/audit', 255)`);
    expect(await cli('audit', 'drop', '--before', '2020-01-01')).toMatchObject({
      code: 1,
      note: expect.stringContaining('/srv/audit has 255'),
    });
    await db.query(`UPDATE audit_publications SET size = 256`);
    await intruder.query(`UPDATE audit_entries SET action = 'nothing' WHERE leaf_index = 299`);
    expect(await cli('audit', 'drop', '--before', '2020-01-01')).toMatchObject({
      code: 1,
      note: expect.stringContaining('Entry 299 was changed'),
    });
    await intruder.query(`UPDATE audit_entries SET action = 'test.happened' WHERE leaf_index = 299`);
    await intruder.query(`UPDATE audit_tile_roots SET hash = sha256('forged')`);
    expect((await cli('audit', 'drop', '--before', '2020-01-01')).note).toContain('proofs would be lost');
    await intruder.query(`DELETE FROM audit_tile_roots`);
    await intruder.query(`ALTER TABLE audit_entries ENABLE TRIGGER USER`);
    await expect(db.query(`DELETE FROM audit_entries WHERE leaf_index = 0`)).rejects.toThrow(
      'never changed or deleted',
    );
    expect(await places()).toEqual({ first: 0, count: 300 });
    expect(await cli('audit', 'drop', '--before', '2020-01-01')).toMatchObject({ code: 0, note: '' });
    expect(await places()).toMatchObject({ first: 256 });
  });
});

describe('what entries say about people', () => {
  const fields = () => db.query<{ value: string }[]>(`SELECT value FROM audit_personal_fields ORDER BY value`);

  it('is erased for one person, and for a time; the proofs stay, and it is in the log that it was done', async () => {
    const { id: caseId, personId } = await aCase(db.manager);
    const about = (subject: string, value: string) =>
      new AuditService().record(db.manager, SYSTEM, 'test.happened', {
        subject: { kind: 'person', id: subject },
        personal: { name: value },
      });
    await about(personId, 'Ada');
    await about('019abcde-0000-7000-8000-000000000000', 'Eve');
    await new AuditService().record(db.manager, SYSTEM, 'test.happened', { caseId, personal: { name: 'Ada' } });
    await sealer.seal();
    expect((await fields()).map(({ value }) => value)).toEqual(expect.arrayContaining(['Ada', 'Ada', 'Eve']));

    expect(await cli('audit', 'erase', '--person', personId)).toMatchObject({
      code: 0,
      out: 'Erased 2 personal fields of 2 entries.',
    });
    const left = (await fields()).map(({ value }) => value);
    expect(left).toContain('Eve');
    expect(left).not.toContain('Ada');
    // From where it was erased isn't about this person.
    expect((await cli('audit', 'erase', '--person', personId)).out).toBe('There was nothing to erase.');
    expect(await fields()).not.toEqual([{ value: 'Eve' }]);
    expect((await cli('audit', 'erase', '--before', '2100-01-01')).code).toBe(0);
    // What is left is of the erasure's own entry.
    expect(await fields()).toHaveLength(1);
    expect((await fields())[0]?.value).not.toBe('Eve');
    await sealer.seal();
    expect(await cli('audit', 'verify')).toMatchObject({ code: 0 });
    const told = await db.query<{ subject: string; facts: object }[]>(
      `SELECT subject_id AS subject, facts FROM audit_entries WHERE action = 'audit.personal-data-erased' ORDER BY at`,
    );
    expect(told[0]).toEqual({ subject: personId, facts: { fields: 2, entries: 2 } });
    expect(told.at(-1)).toMatchObject({ subject: null, facts: { before: '2100-01-01T00:00:00.000Z' } });
  });

  it.each([
    [[], 'Say whose'],
    [['--person', 'Ada'], 'takes the id'],
    [['--before', 'May'], 'takes a day'],
  ])('is not erased by %j, and it says what to do', async (words, why) => {
    expect(await cli('audit', 'erase', ...words)).toMatchObject({ code: 2, note: expect.stringContaining(why) });
  });
});
