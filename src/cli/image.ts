import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { releaseOf } from '../images/image-release.js';
import { ARCHITECTURES } from '../images/image-version.entity.js';
import { ImageVersionView, ImageView, ReleaseKeyView } from '../images/images-views.js';
import { DRIFT_FINDINGS } from '../imagings/image-drift.js';
import { DriftingDeviceView, WithdrawnView } from '../imagings/imagings-views.js';
import { releaseStatement, signRelease } from '../images/release-statement.js';
import { pageOf } from '../platform/http/page.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { apiClient, type ApiClient } from './api-client.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import {
  findVersion,
  keyIn,
  releaseKeys,
  requireSigned,
  VERSION_ARGUMENT,
  VERSION_HELP,
  type VersionSeen,
} from './image-names.js';
import { downloadContent, hashOf, uploadContent } from './image-transfer.js';

const SPEAKS_REST = `
Speaks with the service's API: QUARTERMASTER_URL is its address, QUARTERMASTER_TOKEN_FILE a file with an API token.`;

export const addImage: AddCommand = (program, context) => {
  const image = program
    .command('image')
    .description('images for devices: upload, sign, publish, withdraw, download')
    .addHelpText('after', SPEAKS_REST);
  addList(image, context);
  addUpload(image, context);
  addSign(image, context);
  addMoves(image, context);
  addDownload(image, context);
  addDrift(image, context);
  addKeys(image, context);
};

function addList(image: Command, { env, out }: CliContext): void {
  image
    .command('list')
    .description('show image versions: channel, architecture, size, whether their content is there')
    .option('--image <name>', 'of this image only')
    .action(async (options: { image?: string }) => {
      const api = await apiClient(env);
      const query = options.image === undefined ? '' : `&image=${encodeURIComponent(options.image)}`;
      const versions = await all(api, ImageVersionView, `/v1/images/versions?limit=200${query}`);
      if (versions.length === 0) out('There are no images yet. Add one with `quartermaster image upload`.');
      for (const { id, channel, architecture, sizeBytes, content, ...named } of versions) {
        const size = sizeBytes === null ? 'size unknown' : `${(sizeBytes / 1e9).toFixed(2)} GB`;
        const there = content === null ? 'no content' : content.state;
        out([id, `${named.image}@${named.version}`, channel, architecture ?? '?', size, there].join('  '));
      }
    });
}

interface UploadOptions {
  image: string;
  imageVersion: string;
  os: string;
  architecture: string;
  manifest?: string;
  changeLog?: string;
  key?: string;
  releaseKey?: string;
}

function addUpload(image: Command, { env, out, note }: CliContext): void {
  image
    .command('upload <file>')
    .description('make a draft of a version and send its content; sent again, it goes on where it stopped')
    .requiredOption('--image <name>', 'the image, as in "Debian workstation"; it is made when there is none')
    .requiredOption('--image-version <version>', 'as in 2026.11')
    .requiredOption('--os <os>', 'as in debian-13')
    .addOption(new Option('--architecture <name>', 'what it runs on').choices(ARCHITECTURES).makeOptionMandatory())
    .option(
      '--manifest <file>',
      'JSON: {"inputs": [{"name": …, "version": …, "sha256": …}]}, what it was built from; packages with "list": "deb"',
    )
    .option('--change-log <file>', 'what is new in it')
    .option('--key <file>', 'sign it with this private key (PEM); it stays here')
    .option('--release-key <name>', 'the name under which the service knows that key')
    .addHelpText('after', SPEAKS_REST)
    .action(async (file: string, options: UploadOptions) => {
      const api = await apiClient(env);
      const signer = options.key === undefined ? null : await signerIn(api, options.key, options.releaseKey);
      const about = { os: options.os, architecture: options.architecture, ...(await hashOf(file, note)) };
      const texts = {
        manifest: options.manifest === undefined ? { inputs: [] } : jsonOf(await textIn(options.manifest)),
        changeLog: options.changeLog === undefined ? '' : await textIn(options.changeLog),
      };
      const draft = await draftOf(api, options, { ...about, ...texts });
      if (signer) await sign(api, draft, signRelease(releaseOf(draft, draft.image), signer.key), signer.id);
      await uploadContent(api, { id: draft.id, sizeBytes: about.sizeBytes, sha256: about.sha256 }, file, note);
      out(draft.id);
      note(`Its content is there. Publish it with: quartermaster image publish ${draft.image}@${draft.version}`);
    });
}

function addSign(image: Command, { env, out, note }: CliContext): void {
  image
    .command(`statement ${VERSION_ARGUMENT}`)
    .description('write down the bytes that are signed of a version, for a key that is elsewhere')
    .requiredOption('--out <file>', 'where to')
    .addHelpText(
      'after',
      `${VERSION_HELP}\nopenssl pkeyutl -sign -rawin -inkey key.pem -in FILE -out signature${SPEAKS_REST}`,
    )
    .action(async (named: string, options: { out: string }) => {
      const version = await findVersion(await apiClient(env), named);
      await writeFile(options.out, releaseStatement(releaseOf(version, version.image)));
      note(`Written. Sign it, then: quartermaster image sign ${version.id} --signature FILE --release-key NAME`);
    });
  image
    .command(`sign ${VERSION_ARGUMENT}`)
    .description('sign a draft, with a private key that stays here or by a signature that was made elsewhere')
    .addOption(new Option('--key <file>', 'the private key (PEM)').conflicts('signature'))
    .option('--signature <file>', 'the 64 bytes that somebody made over its statement')
    .requiredOption('--release-key <name>', 'the name under which the service knows the key')
    .addHelpText('after', `${VERSION_HELP}${SPEAKS_REST}`)
    .action(async (named: string, options: { key?: string; signature?: string; releaseKey: string }) => {
      const api = await apiClient(env);
      const version = await findVersion(api, named);
      if (options.key === undefined && options.signature === undefined) {
        throw new CommandFailure('Give --key or --signature.', EXIT.usage);
      }
      const id = await releaseKeyNamed(api, options.releaseKey);
      const signature =
        options.signature === undefined
          ? signRelease(releaseOf(version, version.image), await privateKeyIn(options.key ?? ''))
          : (await readFile(options.signature)).toString('base64');
      await sign(api, version, signature, id);
      out(version.id);
    });
}

function addMoves(image: Command, { env, out }: CliContext): void {
  for (const [move, description] of [
    ['publish', 'make a version the current one of its image and architecture'],
    ['deprecate', 'a version may go on being used, but isn’t the current one any more'],
  ] as const) {
    image
      .command(`${move} ${VERSION_ARGUMENT}`)
      .description(description)
      .addHelpText('after', `${VERSION_HELP}${SPEAKS_REST}`)
      .action(async (named: string) => {
        const api = await apiClient(env);
        const { id } = await findVersion(api, named);
        const moved = await api.ask(ImageVersionView, 'POST', `/v1/images/versions/${id}/${move}`);
        out(`${moved.image}@${moved.version} is ${moved.channel}.`);
      });
  }
  image
    .command(`withdraw ${VERSION_ARGUMENT}`)
    .description('nobody may use a version any more, for good')
    .requiredOption('--reason <text>', 'why, for everybody who has it')
    .addHelpText('after', `${VERSION_HELP}${SPEAKS_REST}`)
    .action(async (named: string, { reason }: { reason: string }) => {
      const api = await apiClient(env);
      const { id } = await findVersion(api, named);
      const path = `/v1/images/versions/${id}/withdraw`;
      const { version, media, deviceCount, devices } = await api.ask(WithdrawnView, 'POST', path, { reason });
      out(
        `${version.image}@${version.version} is withdrawn. ${media.length} sticks and ${deviceCount} machines carry it.`,
      );
      for (const { serial, state, writtenAt } of media) out(`stick  ${serial}  ${state}  written ${writtenAt}`);
      for (const { id: device, assetTag } of devices) out(`machine  ${assetTag}  ${device}`);
    });
}

function addDownload(image: Command, { env, out, note }: CliContext): void {
  image
    .command(`download ${VERSION_ARGUMENT} <file>`)
    .description('fetch a version, check its signature and its hash; fetched again, it goes on where it stopped')
    .option(
      '--trusted-key <file>',
      'the public key (PEM) that has to have signed it; else the one that the service names',
    )
    .addHelpText('after', `${VERSION_HELP}${SPEAKS_REST}`)
    .action(async (named: string, file: string, options: { trustedKey?: string }) => {
      const api = await apiClient(env);
      const version = await findVersion(api, named);
      await requireSigned(api, version, options.trustedKey);
      const { sizeBytes, sha256 } = releaseOf(version, version.image);
      await downloadContent(api, { id: version.id, sizeBytes, sha256 }, file, note);
      out(`${file} is ${version.image}@${version.version}: its hash and its signature are right.`);
    });
}

function addDrift(image: Command, { env, out }: CliContext): void {
  image
    .command('drift')
    .description('show machines whose image or packages aren’t as they should be, or aren’t known')
    .addOption(new Option('--finding <name>', 'only these').choices(DRIFT_FINDINGS))
    .addHelpText('after', `\nOne machine’s packages by name: GET /v1/devices/ID/packages/drift.${SPEAKS_REST}`)
    .action(async ({ finding }: { finding?: string }) => {
      const api = await apiClient(env);
      const query = finding === undefined ? '' : `&finding=${finding}`;
      const machines = await all(api, DriftingDeviceView, `/v1/images/drift?limit=200${query}`);
      if (machines.length === 0) out('No machine drifts.');
      for (const { deviceId, assetTag, findings, recorded, reported, packages } of machines) {
        const has = recorded ? `${recorded.image}@${recorded.version}` : 'no image recorded';
        const tells = reported ? `tells ${reported.value}` : 'tells nothing';
        const counts = packages?.counts;
        const counted = counts
          ? [`packages: ${counts.missing} missing, ${counts.otherVersion} other, ${counts.extra} extra`]
          : [];
        out([deviceId, assetTag, findings.join(','), has, tells, ...counted].join('  '));
      }
    });
}

function addKeys(image: Command, { env, out }: CliContext): void {
  const key = image.command('key').description('release keys: add, list, retire').addHelpText('after', SPEAKS_REST);
  key
    .command('add <name> <file>')
    .description('take the public half (PEM) of an Ed25519 key whose signature an image may be published with')
    .action(async (name: string, file: string) => {
      const publicKey = await keyIn(file);
      const added = await (
        await apiClient(env)
      ).ask(ReleaseKeyView, 'POST', '/v1/images/release-keys', { name, publicKey });
      out(`${added.name} is ${added.fingerprint}: compare that with its owner.`);
    });
  key
    .command('list')
    .description('show all release keys, retired ones too')
    .action(async () => {
      const keys = await releaseKeys(await apiClient(env));
      if (keys.length === 0) out('There are no release keys. Add one with `quartermaster image key add`.');
      for (const { name, fingerprint, retiredAt } of keys) {
        out([name, fingerprint, retiredAt === null ? 'in use' : `retired ${retiredAt.slice(0, 10)}`].join('  '));
      }
    });
  key
    .command('retire <name>')
    .description('publish nothing under a key any more; what was stays so')
    .action(async (name: string) => {
      const api = await apiClient(env);
      const id = await releaseKeyNamed(api, name);
      await api.ask(ReleaseKeyView, 'POST', `/v1/images/release-keys/${id}/retire`);
      out(`${name} is retired.`);
    });
}

/** The draft of this very content: the one that is there, or a new one. */
async function draftOf(
  api: ApiClient,
  { image: name, imageVersion: version }: UploadOptions,
  about: { os: string; architecture: string; sizeBytes: number; sha256: string; manifest: unknown; changeLog: string },
): Promise<VersionSeen> {
  const query = new URLSearchParams({ image: name, version });
  const [found] = (await api.ask(pageOf(ImageVersionView), 'GET', `/v1/images/versions?${query.toString()}`)).items;
  if (found) {
    if (found.channel === 'draft' && found.sha256 === about.sha256) return found;
    throw new CommandFailure(`${name}@${version} is there, and not a draft of this file: choose another version.`);
  }
  const images = await all(api, ImageView, '/v1/images?limit=200');
  const image = images.find((one) => one.name === name) ?? (await api.ask(ImageView, 'POST', '/v1/images', { name }));
  return api.ask(ImageVersionView, 'POST', `/v1/images/${image.id}/versions`, { version, ...about });
}

async function sign(
  api: ApiClient,
  { id, revision }: VersionSeen,
  signature: string,
  releaseKeyId: string,
): Promise<void> {
  await api.send(`/v1/images/versions/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'if-match': `"${revision}"` },
    body: JSON.stringify({ signature, releaseKeyId }),
  });
}

async function signerIn(
  api: ApiClient,
  file: string,
  name: string | undefined,
): Promise<{ key: KeyObject; id: string }> {
  if (name === undefined)
    throw new CommandFailure('Say with --release-key what the service calls this key.', EXIT.usage);
  return { key: await privateKeyIn(file), id: await releaseKeyNamed(api, name) };
}

async function privateKeyIn(file: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await readFile(file));
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below, and nothing of what is in the file.
  }
  throw new CommandFailure(`${file} has to hold an Ed25519 private key, as PEM.`, EXIT.usage);
}

async function releaseKeyNamed(api: ApiClient, name: string): Promise<string> {
  const key = (await releaseKeys(api)).find((one) => one.name === name);
  if (!key) throw new CommandFailure(`There is no release key ${name}. See \`quartermaster image key list\`.`);
  return key.id;
}

/** Every page of a list. @param path with a query */
async function all<T extends z.ZodType>(api: ApiClient, item: T, path: string): Promise<z.infer<T>[]> {
  const items: z.infer<T>[] = [];
  let cursor = '';
  for (;;) {
    const page = await api.ask(pageOf(item), 'GET', path + cursor);
    items.push(...page.items);
    if (page.next === null) return items;
    cursor = `&cursor=${encodeURIComponent(page.next)}`;
  }
}

async function textIn(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw new CommandFailure(`${file} can't be read.`, EXIT.usage);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandFailure('The manifest isn’t JSON.', EXIT.usage);
  }
}
