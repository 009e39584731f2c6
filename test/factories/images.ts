import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import type supertest from 'supertest';
import { signRelease, type BuildManifest } from '../../src/images/release-statement.js';

type Agent = ReturnType<typeof supertest.agent>;

/** Somebody who signs releases: the service knows the public half of their key. */
export interface Releaser {
  keyId: string;
  privateKey: KeyObject;
}

export async function aReleaser(api: Agent): Promise<Releaser> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const body = { name: `key ${randomBytes(4).toString('hex')}`, publicKey: pem };
  const added = await api.post('/v1/images/release-keys').send(body).expect(201);
  return { keyId: String(added.body.id), privateKey };
}

export interface ADraft {
  id: string;
  imageId: string;
  /** The image's name. */
  image: string;
  version: string;
  content: Buffer;
}

interface DraftOptions {
  content?: Buffer;
  releaser?: Releaser;
  imageId?: string;
  version?: string;
  /** What it says of its content, when that isn't true. */
  sha256?: string;
  inputs?: BuildManifest['inputs'];
}

/** A draft of an image of its own unless one is given, with nothing sent yet; signed when a releaser is given. */
export async function aDraft(api: Agent, options: DraftOptions = {}): Promise<ADraft> {
  const { content = randomBytes(5_000), releaser, version = '2026.11', inputs = [] } = options;
  const name = `Image ${randomBytes(4).toString('hex')}`;
  const made = options.imageId === undefined ? await api.post('/v1/images').send({ name }).expect(201) : null;
  const imageId = options.imageId ?? String(made?.body.id);
  const image = made ? name : String((await api.get(`/v1/images/${imageId}`).expect(200)).body.name);
  const sha256 = options.sha256 ?? createHash('sha256').update(content).digest('hex');
  const about = { os: 'debian-13', architecture: 'amd64', sizeBytes: content.length, sha256, manifest: { inputs } };
  const signed = releaser && {
    releaseKeyId: releaser.keyId,
    signature: signRelease({ ...about, image, version }, releaser.privateKey),
  };
  const added = await api
    .post(`/v1/images/${imageId}/versions`)
    .send({ ...about, version, changeLog: 'New kernel.', ...signed })
    .expect(201);
  return { id: String(added.body.id), imageId, image, version, content };
}

/** Sends a part of a content. */
export function send(api: Agent, id: string, from: number, bytes: Buffer): supertest.Test {
  return api
    .patch(`/v1/images/versions/${id}/upload`)
    .set({ 'Tus-Resumable': '1.0.0', 'Upload-Offset': String(from), 'Content-Type': 'application/offset+octet-stream' })
    .send(bytes);
}

/** Asks until it is known whether the hash is right, and answers the version. */
export async function checked(api: Agent, id: string): Promise<{ content: { state: string; problem: string | null } }> {
  for (;;) {
    const { body } = await api.post(`/v1/images/versions/${id}/check`).expect(200);
    if (body.content?.state !== 'received' || body.content.problem !== null) return body;
  }
}

/** With its content, checked and published. */
export async function aPublishedVersion(api: Agent, options: DraftOptions = {}): Promise<ADraft> {
  const draft = await aDraft(api, { releaser: await aReleaser(api), ...options });
  await send(api, draft.id, 0, draft.content).expect(204);
  await checked(api, draft.id);
  await api.post(`/v1/images/versions/${draft.id}/publish`).expect(200);
  return draft;
}
