import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/data-source.js';
import { InstallationKey } from '../../src/platform/crypto/installation-key.js';
import { checkInstallation } from '../../src/platform/crypto/key-check.js';
import { loadKeyFile, makeKeyFile } from '../../src/platform/crypto/key-file.js';
import { Keyring } from '../../src/platform/crypto/keyring.js';
import { SecretVault } from '../../src/platform/crypto/secret-vault.service.js';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.js';

const CANARY = 'canary-hunter2-ümläut';

describe('the key file', () => {
  let path: string;
  beforeEach(async () => {
    path = join(await mkdtemp(join(inject('runFolder'), 'key-')), 'key.json');
  });

  it('is made with mode 0600 and loads as the same key', async () => {
    const made = await makeKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await loadKeyFile(path)).fingerprint).toBe(made.fingerprint);
    expect(made.fingerprint).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is never overwritten', async () => {
    await makeKeyFile(path);
    const before = await readFile(path, 'utf8');
    await expect(makeKeyFile(path)).rejects.toThrow(/exists already/);
    expect(await readFile(path, 'utf8')).toBe(before);
  });

  it.each([0o640, 0o604, 0o660])('is refused with mode %o, which lets others read it', async (mode) => {
    await makeKeyFile(path);
    await chmod(path, mode);
    await expect(loadKeyFile(path)).rejects.toThrow(`chmod 600 ${path}`);
  });

  it('is refused when it is missing or damaged, without quoting it', async () => {
    await expect(loadKeyFile(path)).rejects.toThrow(/no key file .*quartermaster init/);
    await writeFile(path, `{"format":"quartermaster-key-1","note":"","key":"${CANARY}"}`, { mode: 0o600 });
    const error = await loadKeyFile(path).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/isn't a key file/);
    expect(inspect(error)).not.toContain(CANARY);
  });
});

describe('the secret vault', () => {
  let database: TestDatabase;
  let db: DataSource;
  const key = new InstallationKey(randomBytes(32));
  const vault = new SecretVault(new Keyring(key));

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
  });
  afterAll(async () => {
    await db?.destroy();
    await database?.drop();
  });

  const seal = () => db.transaction((tx) => vault.seal(tx, 'test', CANARY));
  const change = (sql: string, ...parameters: unknown[]) =>
    db.query(`UPDATE secrets SET ${sql} WHERE id = $1`, parameters);

  it('opens what it sealed, and keeps nothing of it in the clear', async () => {
    const id = await seal();
    expect(await vault.open(db.manager, id)).toBe(CANARY);
    const row = JSON.stringify(
      await db.query<object[]>(`SELECT *, encode(sealed, 'escape') FROM secrets WHERE id = $1`, [id]),
    );
    expect(row).not.toContain('canary');
  });

  it('seals the same text differently each time', async () => {
    const ids = [await seal(), await seal()];
    const rows = await db.query<{ sealed: Buffer; wrapped_key: Buffer }[]>(
      `SELECT sealed, wrapped_key FROM secrets WHERE id = ANY($1)`,
      [ids],
    );
    expect(rows[0]?.sealed.equals(rows[1]?.sealed ?? Buffer.alloc(0))).toBe(false);
    expect(rows[0]?.wrapped_key.equals(rows[1]?.wrapped_key ?? Buffer.alloc(0))).toBe(false);
  });

  it.each([
    ['a bit of the sealed text', `sealed = set_bit(sealed, 300, 1 - get_bit(sealed, 300))`],
    ['a bit of the tag', `sealed = set_bit(sealed, 100, 1 - get_bit(sealed, 100))`],
    ['a bit of the wrapped key', `wrapped_key = set_bit(wrapped_key, 300, 1 - get_bit(wrapped_key, 300))`],
    ['the version', `version = version + 1`],
    ['the purpose', `purpose = 'another'`],
    ['the length, cut', `sealed = substring(sealed FROM 1 FOR 20)`],
  ])('refuses a secret when somebody changed %s', async (_what, sql) => {
    const id = await seal();
    expect(await vault.open(db.manager, id)).toBe(CANARY);
    await change(sql, id);
    const error = await vault.open(db.manager, id).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/was changed since it was sealed/);
    expect(inspect(error)).not.toContain('canary');
  });

  it('refuses a secret that was copied over another row', async () => {
    const [from, to] = [await seal(), await seal()];
    await db.query(
      `UPDATE secrets SET sealed = o.sealed, wrapped_key = o.wrapped_key FROM secrets o WHERE o.id = $2 AND secrets.id = $1`,
      [to, from],
    );
    await expect(vault.open(db.manager, to)).rejects.toThrow(/was changed/);
  });

  it('says when a secret belongs to another key', async () => {
    const id = await seal();
    await expect(
      new SecretVault(new Keyring(new InstallationKey(randomBytes(32)))).open(db.manager, id),
    ).rejects.toThrow(/sealed with the key/);
  });

  it('destroys for good, and a second time too', async () => {
    const id = await seal();
    await vault.destroy(db.manager, id);
    await expect(vault.open(db.manager, id)).rejects.toThrow(/destroyed/);
    await vault.destroy(db.manager, id);
  });

  it('seals nothing when the transaction is rolled back', async () => {
    let id = '';
    await db
      .transaction(async (tx) => {
        id = await vault.seal(tx, 'test', CANARY);
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    expect(id).not.toBe('');
    await expect(vault.open(db.manager, id)).rejects.toThrow(/no secret/);
  });

  it('shows no key when it is printed', () => {
    const bytes = randomBytes(32);
    const printed =
      inspect(new SecretVault(new Keyring(new InstallationKey(bytes))), { depth: 9, showHidden: true }) +
      JSON.stringify(new InstallationKey(bytes));
    expect(printed).not.toContain(bytes.toString('hex').slice(0, 8));
    expect(printed).not.toContain('Buffer');
  });

  describe('a process', () => {
    const config = { environment: 'test', keyFile: '/key' } as const;

    it('refuses a database that belongs to no installation, to another key, or to another environment', async () => {
      await expect(checkInstallation(db, key, config)).rejects.toThrow(/quartermaster init/);
      await db.query(`INSERT INTO installation (id, key_fingerprint, environment) VALUES (1, $1, 'test')`, [
        key.fingerprint,
      ]);
      await checkInstallation(db, key, config);
      await expect(checkInstallation(db, new InstallationKey(randomBytes(32)), config)).rejects.toThrow(
        /isn't the one this database/,
      );
      await expect(checkInstallation(db, key, { ...config, environment: 'production' })).rejects.toThrow(
        'This process is set up for production, but the database is of a test installation.',
      );
    });

    it('refuses a database without tables', async () => {
      const empty = await createEmptyDatabase();
      const source = await createDataSource({ url: empty.url, applicationName: 'test' }).initialize();
      await expect(checkInstallation(source, key, config)).rejects.toThrow(/quartermaster migrate up/);
      await source.destroy();
      await empty.drop();
    });
  });
});
