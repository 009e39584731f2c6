import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { releaseOf } from '../images/image-release.js';
import { ImageVersionView, ReleaseKeyView } from '../images/images-views.js';
import { isSignedBy, readReleaseKey } from '../images/release-statement.js';
import { pageOf } from '../platform/http/page.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import type { ApiClient } from './api-client.js';
import { CommandFailure } from './command.js';

export type VersionSeen = z.infer<typeof ImageVersionView>;

export const VERSION_ARGUMENT = '<image>';
export const VERSION_HELP = `
An image is named by NAME@VERSION, by a version's id, or by NAME alone for its current version.`;

const Page = pageOf(ImageVersionView);

/** @throws CommandFailure when it names none, or several */
export async function findVersion(api: ApiClient, named: string): Promise<VersionSeen> {
  if (z.uuid().safeParse(named).success) {
    return api.ask(ImageVersionView, 'GET', `/v1/images/versions/${named}`);
  }
  const place = named.lastIndexOf('@');
  const query = new URLSearchParams(
    place < 0
      ? { image: named, channel: 'current' }
      : { image: named.slice(0, place), version: named.slice(place + 1) },
  );
  const { items } = await api.ask(Page, 'GET', `/v1/images/versions?${query.toString()}`);
  const [found, ...others] = items;
  if (found && others.length === 0) return found;
  if (found) {
    const choices = items.map((one) => `${one.id} (${one.architecture})`).join(', ');
    throw new CommandFailure(`${named} is current for several architectures: name one of ${choices}.`, EXIT.usage);
  }
  const what = place < 0 ? 'no image of this name with a current version' : 'no such image version';
  throw new CommandFailure(`There is ${what}: ${named}. See \`quartermaster image list\`.`);
}

/**
 * That this is what whoever releases images has signed.
 * @param keyFile with the public key that is trusted; without it, the one that the service knows is
 * @throws CommandFailure
 */
export async function requireSigned(api: ApiClient, version: VersionSeen, keyFile: string | undefined): Promise<void> {
  const { signature, releaseKeyId } = version;
  const name = `${version.image}@${version.version}`;
  if (signature === null || releaseKeyId === null) throw new CommandFailure(`${name} isn’t signed.`);
  const publicKey = keyFile === undefined ? await knownKey(api, releaseKeyId) : await keyIn(keyFile);
  if (isSignedBy(releaseOf(version, version.image), signature, publicKey)) return;
  throw new CommandFailure(`The signature of ${name} isn’t right: don’t use it, and tell who looks after security.`);
}

/** @throws CommandFailure for what holds no public Ed25519 key */
export async function keyIn(file: string): Promise<string> {
  const key = readReleaseKey(await readFile(file, 'utf8').catch(() => ''));
  if (key) return key.pem;
  throw new CommandFailure(`${file} has to hold the public half of an Ed25519 key, as PEM.`, EXIT.usage);
}

export async function releaseKeys(api: ApiClient): Promise<z.infer<typeof ReleaseKeyView>[]> {
  return (await api.ask(z.object({ items: z.array(ReleaseKeyView) }), 'GET', '/v1/images/release-keys')).items;
}

async function knownKey(api: ApiClient, id: string): Promise<string> {
  const key = (await releaseKeys(api)).find((one) => one.id === id);
  if (!key) throw new CommandFailure('The service doesn’t know the key that it is signed with.');
  return key.publicKey;
}
