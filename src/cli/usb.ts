import { open } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { ImageMediumView } from '../images/image-media-views.js';
import { releaseOf } from '../images/image-release.js';
import { ImageVersionView } from '../images/images-views.js';
import type { ReadBackVerdict } from '../images/medium-states.js';
import { CHUNK, Medium, MediumError } from '../images/usb/medium.js';
import { refusalOf } from '../images/usb/refuse-target.js';
import { targetFacts, type TargetFacts } from '../images/usb/target-facts.js';
import {
  completeImage,
  DifferentContent,
  differenceFrom,
  hashMedium,
  readBehindMark,
  writeBehindMark,
} from '../images/usb/write-image.js';
import { pageOf } from '../platform/http/page.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { goOn } from './again.js';
import { apiClient, type ApiClient } from './api-client.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { findVersion, requireSigned, VERSION_ARGUMENT, VERSION_HELP, type VersionSeen } from './image-names.js';
import { downloadContent, hashOf } from './image-transfer.js';
import { showProgress } from './progress.js';

type MediumSeen = z.infer<typeof ImageMediumView>;
type Note = (line: string) => void;

const noProof = (target: string): string =>
  `${target} can't be read past the system's memory: that it reads back is no proof, and in the record it isn't verified.`;

const TOLD = 'The service was told.';

const SPEAKS_REST = `
The service records it: QUARTERMASTER_URL is its address, QUARTERMASTER_TOKEN_FILE a file with an API token.`;

export const addUsb: AddCommand = (program, context) => {
  const usb = program.command('usb').description('sticks with images: write, verify').addHelpText('after', SPEAKS_REST);
  addWrite(usb, context);
  addVerify(usb, context);
};

interface WriteOptions {
  file?: string;
  label?: string;
  forceFixed?: string;
  trustedKey?: string;
}

function addWrite(usb: Command, { env, out, note }: CliContext): void {
  usb
    .command(`write ${VERSION_ARGUMENT} <target>`)
    .description(
      'write an image to a stick (or a file), read all of it back, and record it; all that was on it is lost',
    )
    .option('--file <file>', 'the image, when it is here; else it is fetched into the current folder and kept there')
    .option('--label <text>', 'what is written on a stick that tells no serial number')
    .option('--force-fixed <serial>', 'write to a disk that can’t be taken out, by its serial number')
    .option(
      '--trusted-key <file>',
      'the public key (PEM) that has to have signed it; else the one that the service names',
    )
    .addHelpText('after', `${VERSION_HELP}${SPEAKS_REST}`)
    .action(async (named: string, target: string, options: WriteOptions) => {
      const api = await apiClient(env);
      const version = await findVersion(api, named);
      const name = `${version.image}@${version.version}`;
      await requireSigned(api, version, options.trustedKey);
      const { sizeBytes, sha256 } = releaseOf(version, version.image);
      const file = options.file ?? `${name.replaceAll(/[^\w.@-]+/g, '-')}.img`;
      const refuse = async (): Promise<TargetFacts> => {
        const facts = await targetFacts(target, file);
        const refusal = refusalOf(facts, { sizeBytes, forcedSerial: options.forceFixed ?? null });
        if (refusal !== null) throw new CommandFailure(refusal);
        return facts;
      };
      // Before a long download, and once more after it: sticks are plugged and mounted meanwhile.
      await refuse();
      await provide(api, { id: version.id, sizeBytes, sha256 }, file, options.file !== undefined, note);
      const facts = await refuse();
      const serial = serialOf(facts, options.label);
      const medium = await openMedium(facts, true);
      try {
        const record = await api.ask(ImageMediumView, 'POST', '/v1/images/media', {
          serial,
          model: facts.model,
          capacityBytes: Math.max(1, facts.capacity),
          imageVersionId: version.id,
        });
        const before = facts.kind === 'file' ? await medium.size() : 0;
        const found = await judge(medium, (signal) =>
          writeAndReadBack({ medium, before, file, sizeBytes, sha256, signal }, note),
        );
        // Before anybody is asked to record it: they may be away, and this is what somebody waited for.
        if (found.problem === null) {
          out(`${target} (${serial}) holds ${name}: all ${sizeBytes} bytes were read back, SHA-256 ${sha256}.`);
          if (!medium.uncached) note(noProof(target));
        } else note(`${target} is NOT verified. ${found.problem}`);
        await report(api, record.id, found, note);
        if (found.problem !== null) throw new CommandFailure(TOLD);
      } finally {
        await medium.close();
      }
    });
}

function addVerify(usb: Command, { env, out, note }: CliContext): void {
  usb
    .command('verify <target>')
    .description('read a stick (or a file) and compare it with what is recorded to be on it, or with a named version')
    .option('--image <image>', 'the version that should be on it')
    .option('--file <file>', 'the image, to say where it differs')
    .option('--label <text>', 'what is written on a stick that tells no serial number')
    .addHelpText('after', `${VERSION_HELP}${SPEAKS_REST}`)
    .action(async (target: string, options: { image?: string; file?: string; label?: string }) => {
      const api = await apiClient(env);
      const facts = await targetFacts(target, null);
      if (facts.kind !== 'disk' && facts.kind !== 'file') {
        throw new CommandFailure(`${target} is neither a whole disk nor a file: is the stick plugged in?`);
      }
      const serial = serialOf(facts, options.label);
      const record = await newestRecord(api, serial);
      const version = await expectedVersion(api, options.image, record, serial);
      const isItsRecord = record?.imageVersionId === version.id && record.state !== 'failed';
      const medium = await openMedium(facts, false);
      const found = await judge(medium, (signal) =>
        readWhole({ medium, file: options.file ?? null, ...releaseOf(version, version.image), signal }, note),
      ).finally(() => medium.close());
      const name = `${version.image}@${version.version}`;
      if (found.problem !== null) note(`${target} isn’t ${name}. ${found.problem}`);
      else if (version.channel === 'withdrawn') {
        note(`${target} holds ${name}, which was withdrawn: ${version.withdrawalReason}`);
      } else {
        out(`${target} (${serial}) holds ${name}, SHA-256 ${found.sha256}.`);
        if (!medium.uncached) note(noProof(target));
      }
      if (record && isItsRecord) await report(api, record.id, found, note);
      const told = isItsRecord ? TOLD : 'The service has no record of this on it.';
      if (found.problem !== null || version.channel === 'withdrawn') throw new CommandFailure(told);
      if (!isItsRecord) note(told);
    });
}

/** What was found on a medium. */
interface Found {
  verdict: ReadBackVerdict;
  sha256: string | null;
  uncached: boolean;
  /** In words; null: it holds the image. */
  problem: string | null;
}

interface Work {
  medium: Medium;
  sizeBytes: number;
  sha256: string;
  signal: AbortSignal;
}

async function writeAndReadBack(
  { file, before, sha256, ...work }: Work & { file: string; before: number },
  note: Note,
) {
  const source = await open(file);
  try {
    const image = { ...work, source };
    await writeBehindMark({ ...image, tell: showProgress(note, 'writing', work.sizeBytes) });
    const found = await readBehindMark({ ...image, tell: showProgress(note, 'reading back', work.sizeBytes) });
    if (found !== sha256) throw await differenceFrom(image, CHUNK);
    await completeImage(image, before);
    return found;
  } finally {
    await source.close();
  }
}

async function readWhole({ file, sha256, ...work }: Work & { file: string | null }, note: Note): Promise<string> {
  const found = await hashMedium({ ...work, tell: showProgress(note, 'reading', work.sizeBytes) });
  if (found === sha256) return found;
  if (file === null) throw new DifferentContent(`Its SHA-256 is ${found}, not ${sha256}.`);
  const source = await open(file);
  try {
    throw await differenceFrom({ ...work, source }, 0);
  } finally {
    await source.close();
  }
}

/** @throws CommandFailure: what can't be opened says nothing about what is on it */
async function openMedium({ path, kind, blockSize }: TargetFacts, forWriting: boolean): Promise<Medium> {
  return Medium.open(path, { isDisk: kind === 'disk', forWriting, blockSize }).catch((error: unknown) => {
    throw error instanceof MediumError ? new CommandFailure(error.message) : error;
  });
}

/** Ctrl-C stops it between two chunks: a stick that was being written keeps its mark, and is recorded as not verified. */
async function judge({ uncached }: Medium, work: (signal: AbortSignal) => Promise<string>): Promise<Found> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Interrupted('It was interrupted.'));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    return { verdict: 'same', sha256: await work(stop.signal), uncached, problem: null };
  } catch (error) {
    const verdict = verdictOf(error);
    if (verdict === null) throw error;
    return { verdict, sha256: null, uncached, problem: (error as Error).message };
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

function verdictOf(error: unknown): ReadBackVerdict | null {
  if (error instanceof DifferentContent) return 'different';
  if (error instanceof MediumError) return 'unreadable';
  return error instanceof Interrupted ? 'interrupted' : null;
}

/** The image as a file that is surely this version. */
async function provide(
  api: ApiClient,
  version: { id: string; sizeBytes: number; sha256: string },
  file: string,
  isOwn: boolean,
  note: Note,
): Promise<void> {
  const isThere = await open(file).then(
    async (found) => found.close().then(() => true),
    () => false,
  );
  if (!isThere && !isOwn) return downloadContent(api, version, file, note);
  const { sha256, sizeBytes } = await hashOf(file, note);
  if (sha256 === version.sha256 && sizeBytes === version.sizeBytes) return;
  throw new CommandFailure(`${file} isn’t this image: its SHA-256 is ${sha256}, not ${version.sha256}.`);
}

/** Of a file: where it is, since it has no serial number. */
function serialOf({ kind, path, serial }: TargetFacts, label: string | undefined): string {
  const known = label ?? serial ?? (kind === 'file' ? `file:${path}` : null);
  if (known !== null) return known.slice(0, 200);
  throw new CommandFailure('This stick tells no serial number: write one on it, and give it with --label.', EXIT.usage);
}

async function newestRecord(api: ApiClient, serial: string): Promise<MediumSeen | null> {
  const path = `/v1/images/media?limit=1&serial=${encodeURIComponent(serial)}`;
  return (await api.ask(pageOf(ImageMediumView), 'GET', path)).items[0] ?? null;
}

async function expectedVersion(
  api: ApiClient,
  named: string | undefined,
  record: MediumSeen | null,
  serial: string,
): Promise<VersionSeen> {
  if (named !== undefined) return findVersion(api, named);
  if (record) return api.ask(ImageVersionView, 'GET', `/v1/images/versions/${record.imageVersionId}`);
  throw new CommandFailure(`Nothing is recorded of ${serial}: name the version that should be on it with --image.`);
}

async function report(api: ApiClient, id: string, found: Found, note: Note): Promise<void> {
  const body = { ...found, problem: found.problem?.slice(0, 500) ?? null };
  await goOn(async () => {
    await api.ask(ImageMediumView, 'POST', `/v1/images/media/${id}/read-backs`, body);
    return null;
  }, note);
}
