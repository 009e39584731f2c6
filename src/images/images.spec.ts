import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { request } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { aDevice } from '../../test/factories/devices.js';
import { aDraft, aPublishedVersion, aReleaser, checked, send } from '../../test/factories/images.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { waitFor } from '../../test/support/wait-for.js';
import { newId } from '../platform/ids/new-id.js';
import { SYSTEM } from '../platform/sign-in/actor.js';
import { IMAGE_CHANNELS, NEXT_IMAGE_CHANNELS, refuseUnlessMoves } from './image-channels.js';
import { ImageVersions } from './image-versions.service.js';
import { releaseStatement, type ImageRelease } from './release-statement.js';
import { IncomingContent } from './incoming-content.js';
import { IMAGE_STORE, type ImageStore } from './store/image-store.js';

type Agent = Awaited<ReturnType<RecordsApp['caller']>>;

let records: RecordsApp;
let store: string;
let api: Agent;

beforeAll(async () => {
  store = await mkdtemp(join(inject('runFolder'), 'images-'));
  records = await startRecordsApp([], { IMAGE_STORE: store });
  await records.app.listen(0, '127.0.0.1');
  api = await records.caller();
});
afterAll(() => records?.close());
afterEach(() => void vi.useRealTimers());

const at = (id: string, rest = '') => `/v1/images/versions/${id}${rest}`;
const get = async (id: string) => (await api.get(at(id)).expect(200)).body;
const entriesOf = async (id: string) =>
  (
    await records.db.query<{ action: string }[]>(
      `SELECT action FROM audit_entries WHERE facts ->> 'imageVersionId' = $1 ORDER BY at`,
      [id],
    )
  ).map(({ action }) => action);

describe('a release statement', () => {
  it('is these very bytes, so that whoever signs it elsewhere signs the same', () => {
    const release: ImageRelease = {
      image: 'Debian\nworkstation',
      version: '2026.11',
      os: 'debian-13',
      architecture: 'amd64',
      sizeBytes: 5,
      sha256: 'ab',
      manifest: { inputs: [{ version: '6.12', name: 'linux', sha256: 'cd' }] },
    };
    const statement = releaseStatement(release);
    expect(statement.toString('utf8')).toBe(
      '{"architecture":"amd64","image":"Debian\\nworkstation","manifest":{"inputs":[{"name":"linux","sha256":"cd","version":"6.12"}]},"os":"debian-13","sha256":"ab","sizeBytes":5,"type":"quartermaster-image-release/1","version":"2026.11"}',
    );
    const inputs = [{ version: '8.14', name: 'curl', sha256: 'ef', list: 'deb' as const }];
    expect(releaseStatement({ ...release, manifest: { inputs } }).toString('utf8')).toContain(
      '"manifest":{"inputs":[{"list":"deb","name":"curl","sha256":"ef","version":"8.14"}]}',
    );
  });
});

describe('an image version', () => {
  it('is published once it tells what it is, its content is there and a key that counts has signed it', async () => {
    const releaser = await aReleaser(api);
    const draft = await aDraft(api);
    const publish = () => api.post(at(draft.id, '/publish'));
    const change = async (body: object) =>
      api
        .patch(at(draft.id))
        .set('If-Match', `"${(await get(draft.id)).revision}"`)
        .send(body);
    expect((await publish().expect(409)).body.detail).toContain('isn’t signed');
    const forged = randomBytes(64).toString('base64');
    expect((await change({ signature: forged, releaseKeyId: releaser.keyId })).status).toBe(200);
    expect((await publish().expect(409)).body.detail).toContain('The signature isn’t one of');
    const signed = await aDraft(api, { releaser, content: draft.content });
    expect((await api.post(at(signed.id, '/publish')).expect(409)).body.detail).toContain('content');
    await send(api, signed.id, 0, signed.content).expect(204);
    await checked(api, signed.id);
    const { body } = await api.post(at(signed.id, '/publish')).expect(200);
    expect(body).toMatchObject({ channel: 'current', publishedBy: 'test', content: { state: 'stored' } });
    // Again is the same.
    expect((await api.post(at(signed.id, '/publish')).expect(200)).body).toEqual(body);
    expect(await entriesOf(signed.id)).toEqual([
      'image-version.created',
      'image-content.stored',
      'image-version.published',
    ]);
  });

  it('stays as it is once it is published, whoever asks: the service and the database refuse', async () => {
    const { id, imageId } = await aPublishedVersion(api);
    const before = await get(id);
    const refused = await api.patch(at(id)).set('If-Match', `"${before.revision}"`).send({ changeLog: 'Better.' });
    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('only a draft') } });
    await send(api, id, 0, Buffer.from('x')).expect(409);
    await api.delete(at(id, '/upload')).expect(409);
    for (const sql of [
      `UPDATE image_versions SET sha256 = repeat('0', 64) WHERE id = $1`,
      `UPDATE image_versions SET manifest = '{}' WHERE id = $1`,
      `UPDATE image_versions SET channel = 'draft', published_at = NULL WHERE id = $1`,
      `UPDATE image_versions SET channel = 'deprecated', size_bytes = 1 WHERE id = $1`,
      `DELETE FROM image_versions WHERE id = $1`,
      `UPDATE image_contents SET state = 'receiving', stored_at = NULL WHERE version_id = $1`,
      `DELETE FROM image_contents WHERE version_id = $1`,
    ]) {
      await expect(records.db.query(sql, [id])).rejects.toThrow(/stays as it is/);
    }
    await expect(records.db.query(`UPDATE images SET name = 'x' WHERE id = $1`, [imageId])).rejects.toThrow(/signed/);
    expect(await get(id)).toEqual(before);
  });

  it('is the only current one of its image and architecture; the one before is deprecated, and can come back', async () => {
    const first = await aPublishedVersion(api);
    const releaser = await aReleaser(api);
    const second = await aPublishedVersion(api, { imageId: first.imageId, version: '2026.12', releaser });
    const channels = async () => [(await get(first.id)).channel, (await get(second.id)).channel];
    expect(await channels()).toEqual(['deprecated', 'current']);
    await expect(
      records.db.query(`UPDATE image_versions SET channel = 'current' WHERE id = $1`, [first.id]),
    ).rejects.toThrow(/ux_image_versions_current/);
    await api.post(at(first.id, '/publish')).expect(200);
    expect(await channels()).toEqual(['current', 'deprecated']);
    const retired = await api.post(`/v1/images/release-keys/${releaser.keyId}/retire`).expect(200);
    expect(retired.body.retiredBy).toBe('test');
    const { body } = await api.post(at(second.id, '/publish')).expect(409);
    expect(body.detail).toContain('is retired');
    expect(await channels()).toEqual(['current', 'deprecated']);
    await api.post(at(first.id, '/deprecate')).expect(200);
    expect(await channels()).toEqual(['deprecated', 'deprecated']);
    const query = { imageId: first.imageId, channel: 'deprecated' };
    expect((await api.get('/v1/images/versions').query(query).expect(200)).body.items).toHaveLength(2);
  });

  it('moves through channels by one table, which the database keeps as well', async () => {
    for (const from of IMAGE_CHANNELS) {
      for (const to of IMAGE_CHANNELS) {
        const moves = NEXT_IMAGE_CHANNELS[from].some((next) => next === to);
        if (moves) expect(() => refuseUnlessMoves(from, to)).not.toThrow();
        else expect(() => refuseUnlessMoves(from, to)).toThrow(`is ${from} can’t become ${to}`);
      }
    }
    const { id } = await aPublishedVersion(api);
    const withdraw = () =>
      records.db.transaction((tx) => records.app.get(ImageVersions).withdraw(tx, SYSTEM, id, 'A back door in it.'));
    expect(await withdraw()).toMatchObject({ channel: 'withdrawn' });
    expect(await get(id)).toMatchObject({
      channel: 'withdrawn',
      withdrawnBy: 'Quartermaster',
      withdrawalReason: 'A back door in it.',
    });
    for (const channel of ['draft', 'current', 'deprecated']) {
      const back = `UPDATE image_versions SET channel = $2, withdrawn_at = NULL, withdrawn_by = NULL, withdrawal_reason = NULL WHERE id = $1`;
      await expect(records.db.query(back, [id, channel])).rejects.toThrow(/stays as it is/);
    }
    await api.post(at(id, '/publish')).expect(409);
    expect((await api.get(at(id, '/content')).expect(410)).body.detail).toContain('A back door');
  });

  it('from before there were channels is a draft, and a device may have it', async () => {
    const image = await api.post('/v1/images').send({ name: 'From before' }).expect(201);
    const id = newId();
    // As the version before this one adds it.
    await records.db.query(
      `INSERT INTO image_versions (id, image_id, version, sha256, released_at) VALUES ($1, $2, '1', NULL, now())`,
      [id, image.body.id],
    );
    expect(await get(id)).toMatchObject({ channel: 'draft', os: null, content: null, image: 'From before' });
    const device = await aDevice(records.db.manager);
    await api.patch(`/v1/devices/${device.id}`).set('If-Match', '"1"').send({ imageVersionId: id }).expect(200);
    expect((await api.post(at(id, '/publish')).expect(409)).body.detail).toContain('`os`, `architecture`');
  });

  it('is drafted, published and trusted by different people, and changed by nobody who saw an older one', async () => {
    const { id } = await aDraft(api);
    const writer = await records.caller('devices:read', 'devices:write', 'images:write');
    await writer.patch(at(id)).set('If-Match', '"1"').send({ changeLog: 'a' }).expect(200);
    await writer.patch(at(id)).set('If-Match', '"1"').send({ changeLog: 'b' }).expect(412);
    await writer.post(at(id, '/publish')).expect(403);
    const publisher = await records.caller('devices:read', 'images:publish');
    const key = {
      name: 'mine',
      publicKey: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
    };
    await publisher.post('/v1/images/release-keys').send(key).expect(403);
    await publisher.patch(at(id)).set('If-Match', '"2"').send({ changeLog: 'b' }).expect(403);
    const keeper = await records.caller('images:trust-keys');
    await keeper.post('/v1/images/release-keys').send(key).expect(201);
    await keeper
      .post('/v1/images/release-keys')
      .send({ ...key, name: 'the same' })
      .expect(409);
  });

  it('is signed by no key but an Ed25519 one, of which a private half is refused', async () => {
    const ed = generateKeyPairSync('ed25519');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
    for (const publicKey of [
      ed.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      rsa.publicKey.export({ type: 'spki', format: 'pem' }),
      'ssh-ed25519 AAAA',
    ]) {
      await api.post('/v1/images/release-keys').send({ name: 'no', publicKey }).expect(400);
    }
    const { id } = await aDraft(api);
    await api.patch(at(id)).set('If-Match', '"1"').send({ releaseKeyId: newId() }).expect(400);
    const { keyId } = await aReleaser(api);
    for (const sql of [
      `DELETE FROM image_release_keys WHERE id = $1`,
      `UPDATE image_release_keys SET public_key = 'x' WHERE id = $1`,
    ]) {
      await expect(records.db.query(sql, [keyId])).rejects.toThrow(/stays as it is/);
    }
  });
});

describe('the content of an image version', () => {
  const storeOfImages = () => records.app.get<ImageStore>(IMAGE_STORE);
  /** All of it came, and nobody has looked at it yet. */
  const received = async () => {
    const draft = await aDraft(api);
    await writeFile(join(store, `${draft.id}.part`), draft.content);
    const row = `INSERT INTO image_contents (version_id, state, received_bytes) VALUES ($1, 'received', $2)`;
    await records.db.query(row, [draft.id, draft.content.length]);
    return draft;
  };
  const setLease = (id: string, owner: string | null, until: string) =>
    records.db.query(
      `UPDATE image_contents SET lease_owner = $2, lease_until = now() + $3::interval WHERE version_id = $1`,
      [id, owner, until],
    );
  const leaseOf = async (id: string) => {
    const sql = `SELECT lease_owner AS owner, lease_until > now() + interval '30 seconds' AS renewed FROM image_contents WHERE version_id = $1`;
    return (await records.db.query<{ owner: string | null; renewed: boolean }[]>(sql, [id]))[0];
  };

  const offset = async (id: string) =>
    (await api.head(at(id, '/upload')).set('Tus-Resumable', '1.0.0').expect(200)).headers['upload-offset'];

  it('is sent in pieces, goes on where it stopped, and is read back before it counts', async () => {
    const { id, content } = await aDraft(api, { content: randomBytes(300_000) });
    expect(await offset(id)).toBe('0');
    const first = await send(api, id, 0, content.subarray(0, 100_001)).expect(204);
    expect(first.headers).toMatchObject({ 'upload-offset': '100001', 'tus-resumable': '1.0.0' });
    expect((await send(api, id, 100_000, content.subarray(100_000)).expect(409)).body.detail).toContain('100001 bytes');
    await send(api, id, 100_001, Buffer.alloc(300_000)).expect(413);
    expect(await offset(id)).toBe('100001');
    await api.get(at(id, '/content')).expect(404);
    await send(api, id, 100_001, content.subarray(100_001)).expect(204);
    expect(await checked(api, id)).toMatchObject({
      content: { state: 'stored', receivedBytes: 300_000, problem: null },
    });
    const read = await api.get(at(id, '/content')).expect(200);
    expect(Buffer.compare(read.body as Buffer, content)).toBe(0);
  });

  it('keeps what came before the connection broke', async () => {
    const { id, content } = await aDraft(api, { content: randomBytes(2_000_000) });
    const { port } = records.app.getHttpServer().address() as AddressInfo;
    const authorization = api.get('/health/live').get('authorization');
    await new Promise<void>((resolve) => {
      const broken = request({
        port,
        method: 'PATCH',
        path: at(id, '/upload'),
        headers: {
          authorization,
          'tus-resumable': '1.0.0',
          'upload-offset': '0',
          'content-type': 'application/offset+octet-stream',
          'content-length': content.length,
        },
      });
      broken.on('error', () => resolve());
      broken.write(content.subarray(0, 1_500_000), () => broken.destroy());
    });
    // Until the server has seen that it broke, another request is refused.
    await waitFor('what came is recorded', async () => Number(await offset(id)) > 0);
    const there = Number(await offset(id));
    expect(there).toBeLessThanOrEqual(1_500_000);
    await send(api, id, there, content.subarray(there)).expect(204);
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored' } });
  });

  it('is refused when it isn’t what the version says, and nothing of it stays', async () => {
    const { id, content } = await aDraft(api, { sha256: 'a'.repeat(64) });
    await send(api, id, 0, content).expect(204);
    const { content: told } = await checked(api, id);
    expect(told).toMatchObject({
      state: 'refused',
      receivedBytes: 0,
      problem: expect.stringMatching(/has the SHA-256 \w{64};/),
    });
    await api.get(at(id, '/content')).expect(404);
    // The right one may come yet.
    expect(await offset(id)).toBe('0');
    await waitFor('it is sent again', async () => (await send(api, id, 0, content.subarray(0, 10))).status === 204);
    expect((await readdir(store)).filter((name) => name.startsWith(id))).toEqual([`${id}.part`]);
    await api
      .patch(at(id))
      .set('If-Match', '"1"')
      .send({ sha256: 'b'.repeat(64) })
      .expect(409);
    await api.delete(at(id, '/upload')).expect(204);
    expect((await get(id)).content).toBeNull();
    expect(await entriesOf(id)).toEqual(['image-version.created', 'image-content.refused', 'image-content.discarded']);
  });

  it('is checked as it lies in the store: one that was changed there is refused, and can be sent again', async () => {
    const { id, content } = await aDraft(api);
    const images = storeOfImages();
    const remove = images.remove.bind(images);
    const [removing, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    vi.spyOn(images, 'remove').mockImplementationOnce(async (...what) => {
      removing.resolve();
      await goOn.promise;
      return remove(...what);
    });
    await send(api, id, 0, content.subarray(0, 4_000)).expect(204);
    const file = await open(join(store, `${id}.part`), 'r+');
    await file.write(Buffer.from([(content[17] ?? 0) ^ 1]), 0, 1, 17);
    await file.close();
    await send(api, id, 4_000, content.subarray(4_000)).expect(204);
    expect(await checked(api, id)).toMatchObject({ content: { state: 'refused' } });
    await removing.promise;
    // Until the old bytes are gone nobody sends new ones, which would go with them.
    expect((await send(api, id, 0, content)).headers['retry-after']).toBe('1');
    goOn.resolve();
    await waitFor('it is sent again', async () => (await send(api, id, 0, content)).status === 204);
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored' } });
  });

  it('that is being discarded can’t be published, and what a discard that broke off left neither', async () => {
    const draft = await aDraft(api, { releaser: await aReleaser(api) });
    const { id, content } = draft;
    await send(api, id, 0, content).expect(204);
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored' } });
    const images = storeOfImages();
    const remove = images.remove.bind(images);
    vi.spyOn(images, 'remove').mockImplementationOnce(async (...what) => {
      await api.post(at(id, '/publish')).expect(409);
      await remove(...what);
      throw new Error('and then nobody was there any more');
    });
    expect((await api.delete(at(id, '/upload'))).body.type).toBe('/problems/store-failed');
    expect((await get(id)).content).toMatchObject({ state: 'receiving', receivedBytes: 0 });
    await api.post(at(id, '/publish')).expect(409);
    expect(await entriesOf(id)).not.toContain('image-content.discarded');
    // It is sent anew.
    await send(api, id, 0, content).expect(204);
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored' } });
    await api.post(at(id, '/publish')).expect(200);
  });

  it('whose check fails is told to everybody who asks, and is checked again a while later', async () => {
    const { id } = await received();
    const seal = vi.spyOn(storeOfImages(), 'seal').mockRejectedValueOnce(new Error('the bucket is away'));
    await api.post(at(id, '/check')).expect(200);
    await waitFor('it failed', async () => (await get(id)).content.problem);
    for (let asked = 0; asked < 2; asked += 1) {
      const { body } = await api.post(at(id, '/check')).expect(200);
      expect(body.content).toMatchObject({ state: 'received', problem: expect.stringContaining('ask again in') });
    }
    expect(seal).toHaveBeenCalledTimes(1);
    await setLease(id, null, '-1 second');
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored', problem: null } });
  });

  it('that can’t be checked can be discarded at once', async () => {
    const { id } = await received();
    await setLease(id, null, '1 minute');
    await api.delete(at(id, '/upload')).expect(204);
    expect((await get(id)).content).toBeNull();
  });

  it('is deleted by nobody who lost it meanwhile, and then nobody says so either', async () => {
    const { id, content } = await aDraft(api);
    await send(api, id, 0, content.subarray(0, 10)).expect(204);
    vi.spyOn(storeOfImages(), 'remove').mockImplementationOnce(async () => {
      await setLease(id, newId(), '1 minute');
    });
    await api.delete(at(id, '/upload')).expect(409);
    expect((await get(id)).content).not.toBeNull();
    expect(await entriesOf(id)).toEqual(['image-version.created']);
  });

  it('of a version that was withdrawn stays in the store, as evidence', async () => {
    const { id, content } = await aDraft(api);
    await send(api, id, 0, content).expect(204);
    await checked(api, id);
    await records.db.transaction((tx) => records.app.get(ImageVersions).withdraw(tx, SYSTEM, id, 'Built wrongly.'));
    expect((await api.delete(at(id, '/upload')).expect(409)).body.detail).toContain('is withdrawn');
    expect(await readdir(store)).toContain(`${id}.img`);
  });

  it('whose check died with its process is checked by whoever asks next', async () => {
    const { id } = await received();
    await setLease(id, newId(), '1 hour');
    await api.post(at(id, '/check')).expect(200);
    expect((await get(id)).content.state).toBe('received');
    await setLease(id, newId(), '-1 second');
    expect(await checked(api, id)).toMatchObject({ content: { state: 'stored' } });
  });

  it('is written by one request at a time', async () => {
    const { id, content } = await aDraft(api);
    await send(api, id, 0, content.subarray(0, 10)).expect(204);
    await setLease(id, newId(), '1 minute');
    expect((await send(api, id, 10, content.subarray(10)).expect(409)).headers['retry-after']).toBe('1');
    await setLease(id, newId(), '-1 second');
    await send(api, id, 10, content.subarray(10)).expect(204);
  });

  it('belongs to a process for as long as it works on it; one that lost it stops, and says nothing about it', async () => {
    const { id } = await received();
    const [sealing, sealed] = [Promise.withResolvers<AbortSignal>(), Promise.withResolvers<void>()];
    const images = storeOfImages();
    const seal = images.seal.bind(images);
    vi.spyOn(images, 'seal').mockImplementationOnce(async (key, held, signal) => {
      sealing.resolve(signal);
      await sealed.promise;
      return seal(key, held, signal);
    });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    await api.post(at(id, '/check')).expect(200);
    const signal = await sealing.promise;
    await setLease(id, (await leaseOf(id))?.owner ?? null, '2 seconds');
    vi.advanceTimersByTime(5_000);
    await waitFor('it is renewed', async () => (await leaseOf(id))?.renewed);
    expect(signal.aborted).toBe(false);
    const other = newId();
    await setLease(id, other, '1 minute');
    vi.advanceTimersByTime(5_000);
    await waitFor('whoever lost it stops', () => signal.aborted);
    sealed.resolve();
    await waitFor('it ended', () => records.log().includes('somebody else has taken the content over'));
    expect((await get(id)).content).toMatchObject({ state: 'received', problem: null });
    expect((await leaseOf(id))?.owner).toBe(other);
  });

  it('whose store sends nothing any more isn’t waited for', async () => {
    const { id } = await received();
    const reading = Promise.withResolvers<void>();
    vi.spyOn(storeOfImages(), 'read').mockImplementationOnce(async (_key, _first, _last, signal) => {
      reading.resolve();
      return new Readable({ read: () => undefined, signal });
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await api.post(at(id, '/check')).expect(200);
    await reading.promise;
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    await waitFor('that is told', async () => (await get(id)).content.problem?.includes('couldn’t be checked'));
  });

  it('isn’t taken from a body any further once somebody else may write', async () => {
    const taken = new AbortController();
    const body = new PassThrough();
    const chunks = new IncomingContent(body, 100, taken.signal).chunks()[Symbol.asyncIterator]();
    body.write('first');
    expect(await chunks.next()).toMatchObject({ value: Buffer.from('first') });
    const next = chunks.next();
    taken.abort();
    expect(await next).toMatchObject({ done: true });
  });

  it('is read in ranges, and goes on only while it is the same', async () => {
    const { id, content } = await aPublishedVersion(api);
    const read = (headers: Record<string, string>) => api.get(at(id, '/content')).set(headers);
    const head = await api.head(at(id, '/content')).expect(200);
    const etag = head.headers['etag'] ?? '';
    expect(head.headers).toMatchObject({ 'content-length': '5000', 'accept-ranges': 'bytes' });
    const part = await read({ Range: 'bytes=4000-', 'If-Range': etag }).expect(206);
    expect(part.headers['content-range']).toBe('bytes 4000-4999/5000');
    expect(Buffer.compare(part.body as Buffer, content.subarray(4_000))).toBe(0);
    await read({ Range: 'bytes=4000-', 'If-Range': '"sha256-of-another"' }).expect(200);
    expect((await read({ 'If-None-Match': etag }).expect(304)).headers['etag']).toBe(etag);
    // A refusal isn't the image, and nobody saves it as one.
    const beyond = await read({ Range: 'bytes=5000-' }).expect(416);
    expect(beyond.headers['content-range']).toBe('bytes */5000');
    vi.spyOn(storeOfImages(), 'read').mockRejectedValueOnce(new Error('the bucket is away'));
    for (const refusal of [beyond, await read({ 'If-Match': '"other"' }).expect(412), await read({}).expect(503)]) {
      expect(refusal.headers['content-type']).toContain('application/problem+json');
      for (const header of ['content-disposition', 'repr-digest', 'accept-ranges']) {
        expect(refusal.headers).not.toHaveProperty(header);
      }
    }
    await (await records.caller('people:read')).get(at(id, '/content')).expect(403);
  });

  it('is sent in tus 1.0.0 and nothing else, and only once it is known what is to come', async () => {
    const { id, imageId } = await aDraft(api);
    const patch = (headers: Record<string, string>) => api.patch(at(id, '/upload')).set(headers).send(Buffer.from('x'));
    const right = { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' };
    const refused = await patch({ ...right, 'Tus-Resumable': '0.2.2' }).expect(412);
    expect(refused.headers['tus-version']).toBe('1.0.0');
    await patch({ ...right, 'Content-Type': 'application/octet-stream' }).expect(415);
    await patch({ ...right, 'Upload-Offset': '-1' }).expect(400);
    const bare = await api.post(`/v1/images/${imageId}/versions`).send({ version: '0' }).expect(201);
    expect((await send(api, bare.body.id, 0, Buffer.from('x')).expect(409)).body.detail).toContain('how large');
    await api.head(at(bare.body.id, '/upload')).set('Tus-Resumable', '1.0.0').expect(409);
  });
});
