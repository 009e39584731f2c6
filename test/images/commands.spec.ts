import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtemp, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { aDevice } from '../factories/devices.js';
import { ImageMedia } from '../../src/images/image-media.service.js';
import { Problem } from '../../src/platform/errors/problem.js';
import { aDraft, checked } from '../factories/images.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

type Agent = Awaited<ReturnType<ServiceApp['caller']>>;

const CONTENT = randomBytes(9 * 512 * 1024);

let folder: string;
let service: ServiceApp;
let api: Agent;
let url: string;
let token: string;
let env: Record<string, string>;
let imageFile: string;

const inFolder = (name: string) => join(folder, name);
const cli = async (...words: string[]) => {
  const [out, note]: [string[], string[]] = [[], []];
  const context = cliContext(
    env,
    (line) => out.push(line),
    (line) => note.push(line),
  );
  return { code: await runCli(words, context), out: out.join('\n'), note: note.join('\n') };
};
const ABOUT = ['--os', 'debian-13', '--architecture', 'amd64'];
const upload = (version: string, ...more: string[]) => {
  const named = ['--image', 'Debian workstation', '--image-version', version];
  return cli('image', 'upload', imageFile, ...named, ...ABOUT, ...more);
};
/** What a test stands on: it isn't there without. */
const done = async (...words: string[]): Promise<void> => {
  const { code, note } = await cli(...words);
  if (code !== 0) throw new Error(note);
};
const flip = async (path: string, position: number) => {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, position);
  await file.close();
};

beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'image-commands-'));
  service = await startServiceApp({ env: { IMAGE_STORE: inFolder('store') } });
  await service.app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(service.app.getHttpServer().address() as AddressInfo).port}`;
  api = await service.caller();
  token = api.get('/health/live').get('authorization').replace('Bearer ', '');
  await writeFile(inFolder('token'), token);
  env = { QUARTERMASTER_URL: url, QUARTERMASTER_TOKEN_FILE: inFolder('token') };
  imageFile = inFolder('image');
  await writeFile(imageFile, CONTENT);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  await writeFile(inFolder('key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(inFolder('key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await done('image', 'key', 'add', 'release', inFolder('key.pub'));
  const { note } = await upload('1', '--key', inFolder('key.pem'), '--release-key', 'release');
  if (!note.includes('image publish Debian workstation@1')) throw new Error(note);
  await done('image', 'publish', 'Debian workstation@1');
});
afterAll(() => service?.close());

describe('quartermaster image', () => {
  it('says what is missing before it asks anybody', async () => {
    const { QUARTERMASTER_URL: _url, ...without } = env;
    const before = env;
    env = without;
    expect(await cli('image', 'list')).toMatchObject({ code: 2, note: expect.stringContaining('QUARTERMASTER_URL') });
    env = { ...before, QUARTERMASTER_URL: 'http://quartermaster.example.com' };
    expect(await cli('image', 'list')).toMatchObject({ code: 2, note: expect.stringContaining('https://') });
    env = before;
    const { out } = await cli('image', 'list');
    expect(out).toMatch(/Debian workstation@1 {2}current {2}amd64 {2}0\.00 GB {2}stored/);
  });

  it('shows the machines that drift', async () => {
    const { assetTag } = await aDevice(service.db.manager);
    const { out } = await cli('image', 'drift', '--finding', 'not_imaged');
    expect(out).toContain(`${assetTag}  not_imaged  no image recorded  tells nothing`);
  });

  it('goes on with an upload where it stopped, and takes a signature that was made elsewhere', async () => {
    const draft = await aDraft(api, { content: CONTENT });
    const half = CONTENT.subarray(0, 1_000_000);
    const tus = { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' };
    await api.patch(`/v1/images/versions/${draft.id}/upload`).set(tus).send(half).expect(204);
    const again = ['--image', draft.image, '--image-version', draft.version, ...ABOUT];
    expect(await cli('image', 'upload', imageFile, ...again)).toMatchObject({ code: 0, out: draft.id });
    expect(await checked(api, draft.id)).toMatchObject({ content: { state: 'stored' } });
    // An HSM, or openssl.
    await cli('image', 'statement', draft.id, '--out', inFolder('statement'));
    const privateKey = await readFile(inFolder('key.pem'), 'utf8');
    await writeFile(inFolder('signature'), sign(null, await readFile(inFolder('statement')), privateKey));
    const signed = await cli(
      'image',
      'sign',
      draft.id,
      '--signature',
      inFolder('signature'),
      '--release-key',
      'release',
    );
    expect(signed).toMatchObject({ code: 0, out: draft.id });
    expect(await cli('image', 'publish', draft.id)).toMatchObject({
      code: 0,
      out: expect.stringContaining('is current'),
    });
    await writeFile(inFolder('other'), 'other');
    const other = await cli('image', 'upload', inFolder('other'), ...again);
    expect(other).toMatchObject({ code: 1, note: expect.stringContaining('not a draft of this file') });
  });

  it('takes what openssl signs', async () => {
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', inFolder('openssl.pem')]);
    execFileSync('openssl', ['pkey', '-in', inFolder('openssl.pem'), '-pubout', '-out', inFolder('openssl.pub')]);
    await cli('image', 'key', 'add', 'openssl', inFolder('openssl.pub'));
    const { out: id } = await upload('openssl');
    await cli('image', 'statement', id, '--out', inFolder('openssl.txt'));
    const signing = ['pkeyutl', '-sign', '-rawin', '-inkey', inFolder('openssl.pem')];
    execFileSync('openssl', [...signing, '-in', inFolder('openssl.txt'), '-out', inFolder('openssl.sig')]);
    await cli('image', 'sign', id, '--signature', inFolder('openssl.sig'), '--release-key', 'openssl');
    expect(await cli('image', 'publish', id)).toMatchObject({ code: 0 });
    // The one of the other tests is the current one again.
    expect(await cli('image', 'publish', 'Debian workstation@1')).toMatchObject({ code: 0 });
  });

  it('goes on with a download where it stopped, and keeps nothing that isn’t the image', async () => {
    const [file, draft] = [inFolder('fetched'), inFolder('fetched.part')];
    await writeFile(draft, CONTENT.subarray(0, 1_234_567));
    expect(await cli('image', 'download', 'Debian workstation', file)).toMatchObject({ code: 0 });
    expect((await readFile(file)).equals(CONTENT)).toBe(true);
    await writeFile(draft, Buffer.alloc(1_000));
    const wrong = await cli('image', 'download', 'Debian workstation', inFolder('fetched'));
    expect(wrong).toMatchObject({ code: 1, note: expect.stringContaining('it was deleted') });
    await expect(stat(draft)).rejects.toThrow('ENOENT');
    const trusted = ['--trusted-key', inFolder('openssl.pub')];
    const forged = await cli('image', 'download', 'Debian workstation', inFolder('x'), ...trusted);
    expect(forged).toMatchObject({ code: 1, note: expect.stringContaining('isn’t right') });
    await expect(stat(inFolder('x'))).rejects.toThrow('ENOENT');
  });

  it('is met by clients of tus that aren’t ours', async () => {
    const { id } = await aDraft(api, { content: CONTENT });
    await new Promise<void>((resolve, reject) => {
      const client = new Upload(CONTENT, {
        uploadUrl: `${url}/v1/images/versions/${id}/upload`,
        headers: { Authorization: `Bearer ${token}` },
        chunkSize: 1_000_000,
        retryDelays: null,
        onSuccess: () => resolve(),
        onError: reject,
      });
      client.start();
    });
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored' } });
  });
});

describe('quartermaster usb', () => {
  const recordOf = async (serial: string) =>
    (await api.get('/v1/images/media').query({ serial, limit: 1 }).expect(200)).body.items[0];
  const write = (target: string, ...more: string[]) =>
    cli('usb', 'write', 'Debian workstation', target, '--file', imageFile, ...more);

  it('writes an image, reads it back and records it; whoever verifies it later finds what changed', async () => {
    const stick = inFolder('stick');
    expect(await write(stick)).toMatchObject({ code: 0, out: expect.stringContaining('were read back') });
    expect((await readFile(stick)).equals(CONTENT)).toBe(true);
    expect(await recordOf(`file:${stick}`)).toMatchObject({ state: 'verified', uncached: true, writtenBy: 'test' });
    expect(await cli('usb', 'verify', stick)).toMatchObject({ code: 0, out: expect.stringContaining('holds') });
    await flip(stick, 4_500_001);
    const found = await cli('usb', 'verify', stick, '--file', imageFile);
    expect(found).toMatchObject({ code: 1, note: expect.stringContaining('differs from the image at byte 4500001') });
    const record = await recordOf(`file:${stick}`);
    expect(record).toMatchObject({ state: 'failed', problem: expect.stringContaining('4500001') });
    // Whoever heard no answer tells it again, and is answered what is recorded.
    const readBacks = `/v1/images/media/${record.id}/read-backs`;
    const { problem, uncached } = record;
    const told = await api.post(readBacks).send({ verdict: 'different', problem, uncached }).expect(200);
    expect(told.body).toEqual(record);
    await api.post(readBacks).send({ verdict: 'different', problem: 'Something else.' }).expect(409);
    // What failed is written anew.
    await api.post(readBacks).send({ verdict: 'same', sha256: record.sha256 }).expect(409);
    expect(await write(stick)).toMatchObject({ code: 0 });
    expect(await recordOf(`file:${stick}`)).toMatchObject({ state: 'verified' });
    const sql = `UPDATE image_media SET serial = 'x' WHERE serial = $1`;
    await expect(service.db.query(sql, [`file:${stick}`])).rejects.toThrow(/stays as it is/);
  });

  it('says what it found before it asks for that to be recorded', async () => {
    const stick = inFolder('unrecorded');
    await write(stick);
    await flip(stick, 4_500_001);
    const readBack = vi.spyOn(service.app.get(ImageMedia), 'readBack').mockImplementation(async () => {
      throw new Problem('forbidden', 'Not any more.');
    });
    const found = await cli('usb', 'verify', stick, '--file', imageFile);
    expect(found).toMatchObject({ code: 1, note: expect.stringMatching(/at byte 4500001(.|\n)*Not any more/) });
    readBack.mockRestore();
    expect(await recordOf(`file:${stick}`)).toMatchObject({ state: 'verified' });
  });

  it('writes nothing that isn’t the image, and nothing where the image lies', async () => {
    await writeFile(inFolder('wrong'), 'wrong');
    const wrong = await cli('usb', 'write', 'Debian workstation', inFolder('none'), '--file', inFolder('wrong'));
    expect(wrong).toMatchObject({ code: 1, note: expect.stringContaining('isn’t this image') });
    await expect(stat(inFolder('none'))).rejects.toThrow('ENOENT');
    expect(await write(imageFile)).toMatchObject({ code: 1, note: expect.stringContaining('the image itself') });
    expect((await readFile(imageFile)).equals(CONTENT)).toBe(true);
    expect(await write('/dev/sd-pulled')).toMatchObject({ code: 1, note: expect.stringContaining('plugged in') });
    expect(await recordOf(`file:${imageFile}`)).toBeUndefined();
  });

  it('knows a stick that was cut short, and one that nobody recorded', async () => {
    const stick = inFolder('cut');
    await write(stick);
    await truncate(stick, 600_000);
    expect(await cli('usb', 'verify', stick)).toMatchObject({
      code: 1,
      note: expect.stringContaining('ends at byte 600000'),
    });
    expect(await recordOf(`file:${stick}`)).toMatchObject({ state: 'failed' });
    const strange = inFolder('strange');
    await writeFile(strange, CONTENT);
    expect(await cli('usb', 'verify', strange)).toMatchObject({ code: 1, note: expect.stringContaining('--image') });
    const named = await cli('usb', 'verify', strange, '--image', 'Debian workstation@1');
    expect(named).toMatchObject({ code: 0, note: expect.stringContaining('no record') });
  });

  it('takes no draft and nothing that was withdrawn, and says so of a stick that carries it', async () => {
    const { out: id } = await upload('2', '--key', inFolder('key.pem'), '--release-key', 'release');
    const writeIt = (target: string) => cli('usb', 'write', id, target, '--file', imageFile);
    expect(await writeIt(inFolder('draft'))).toMatchObject({ code: 1, note: expect.stringContaining('is draft') });
    await cli('image', 'publish', id);
    const stick = inFolder('withdrawn');
    expect(await writeIt(stick)).toMatchObject({ code: 0 });
    expect(await cli('image', 'withdraw', id, '--reason', 'A back door.')).toMatchObject({ code: 0 });
    expect(await writeIt(inFolder('late'))).toMatchObject({ code: 1, note: expect.stringContaining('is withdrawn') });
    const found = await cli('usb', 'verify', stick);
    expect(found).toMatchObject({ code: 1, note: expect.stringContaining('was withdrawn: A back door.') });
  });
});
