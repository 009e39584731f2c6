import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { EntityManager } from 'typeorm';
import { EvidencePack } from '../evidence-packs/evidence-pack.js';
import { verifyPack } from '../evidence-packs/verify-pack.js';
import { LogCheck } from '../platform/audit/check-log.js';
import { newestCheckpoint, newestCosigned } from '../platform/audit/cosigned-checkpoints.js';
import { CosignatureVerifier } from '../platform/audit/cosignature.js';
import {
  checkpointLine,
  entryLine,
  headerLine,
  LogFileError,
  readLogFile,
  startLine,
} from '../platform/audit/log-file.js';
import { verifierOf } from '../platform/audit/log-key.service.js';
import { brokenCommitments, inOneMoment, readLog, unsealed, type ReadPart } from '../platform/audit/log-reader.js';
import { checkProof, parseProof } from '../platform/audit/log-proof.js';
import { NoteError, NoteVerifier } from '../platform/audit/signed-note.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { addAuditPopulation } from './audit-population.js';
import { addAuditPublish } from './audit-publish.js';
import { addAuditRetention } from './audit-retention.js';
import { addAuditWitness } from './audit-witness.js';
import { CommandFailure, type AddCommand } from './command.js';
import { contentOf, readKey } from './read-key.js';

interface VerifyOptions {
  offline?: string;
  key?: string;
  checkpoint?: string[];
  witness?: string[];
  proof?: string;
  evidence?: string;
}

const KEY_IS_NEEDED = 'Give --key: the public key as it was kept outside. The one in the file proves nothing.';
/** Seconds that an entry may wait for the sealer before it is worth a word. */
const PATIENCE = 60;

export const addAudit: AddCommand = (program, context) => {
  const { out, note, withDatabase } = context;
  const audit = program.command('audit').description('prove that the audit log is as it was written');

  audit
    .command('key')
    .description('print the public key of the log, for auditors to keep outside of this installation')
    .action(() => withDatabase(async (db) => out((await keyOf(db.manager)).toString())));

  audit
    .command('checkpoint')
    .description(
      'print the newest signed checkpoint; whoever keeps it can prove any later change to what it speaks for',
    )
    .option('--cosigned', 'the newest that a witness cosigned')
    .action((options: { cosigned?: boolean }) =>
      withDatabase(async (db) => {
        const found = await (options.cosigned ? newestCosigned(db.manager) : newestCheckpoint(db.manager));
        if (!found) {
          throw new CommandFailure(
            options.cosigned
              ? 'No witness has cosigned a checkpoint yet. See `quartermaster audit witness list`.'
              : 'Nothing is sealed yet: a worker does it within a second of the first entry.',
          );
        }
        out(found.note.trimEnd());
      }),
    );

  audit
    .command('export <file>')
    .description('write the sealed log to a file that is verified without this installation')
    .action((file: string) =>
      withDatabase(async (db) => {
        const count = await inOneMoment(db, (tx) => exportTo(tx, file));
        out(`Wrote ${count} entries to ${file}.`);
      }),
    );

  audit
    .command('verify')
    .description('go through the whole log and name the first thing that isn’t as it was sealed')
    .option('--offline <file>', 'an exported log, instead of the database; needs --key')
    .option('--proof <file>', 'the proof of one entry, as `audit prove` prints it; needs --key and nothing else')
    .option('--evidence <file>', 'a case’s evidence.json; needs --key and nothing else')
    .option('--key <key>', 'the log’s public key as an auditor kept it, or a file with it')
    .option(
      '--checkpoint <file...>',
      'checkpoints that were kept elsewhere: they show a cut end, and a log that was forked',
    )
    .option(
      '--witness <key...>',
      'public keys of witnesses, or files with them: each has to have cosigned a checkpoint',
    )
    .addHelpText(
      'after',
      `
Without --offline it needs DATABASE_URL. Exits with 1 when something isn't right. Whoever can write to the database can
also put another key there: give --key and --checkpoint as they were kept elsewhere.`,
    )
    .action(async (options: VerifyOptions) => {
      if (options.proof) return out(await verifyProof(options.proof, options, note));
      if (options.evidence) return out(await verifyEvidence(options.evidence, options, note));
      const findings = options.offline
        ? await verifyFile(options.offline, options, out, note)
        : await withDatabase((db) => inOneMoment(db, (tx) => verifyDatabase(tx, options, out, note)));
      for (const finding of findings) out(`✗ ${finding}`);
      if (findings.length > 0) throw new CommandFailure('The audit log isn’t as it was sealed.');
    });

  addAuditPublish(audit, context);
  addAuditWitness(audit, context);
  addAuditPopulation(audit, context);
  addAuditRetention(audit, context);
};

async function exportTo(tx: EntityManager, file: string): Promise<number> {
  const key = await keyOf(tx);
  const stream = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await once(stream, 'open').catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailure(
      error.code === 'EEXIST'
        ? `${file} is there already; it isn’t overwritten.`
        : `${file} can’t be written (${error.code}).`,
    );
  });
  let entries = 0;
  try {
    const write = async (line: string): Promise<void> => {
      if (!stream.write(`${line}\n`)) await once(stream, 'drain');
    };
    await write(headerLine(key.toString()));
    for await (const part of readLog(tx)) {
      if ('entry' in part) entries += 1;
      await write(lineOf(part));
    }
    stream.end();
    await finished(stream);
  } catch (error) {
    stream.destroy();
    await rm(file, { force: true });
    throw error;
  }
  return entries;
}

function lineOf(part: ReadPart): string {
  if ('entry' in part) return entryLine(part.entry);
  return 'checkpoint' in part ? checkpointLine(part.checkpoint) : startLine(part.start);
}

/** @returns what the entry says and which log holds it */
async function verifyProof(
  file: string,
  { key, checkpoint = [], witness }: VerifyOptions,
  note: (line: string) => void,
): Promise<string> {
  if (!key) throw new CommandFailure(KEY_IS_NEEDED, EXIT.usage);
  if (checkpoint.length > 0) {
    throw new CommandFailure('A proof has a checkpoint of its own; compare others with the whole log.', EXIT.usage);
  }
  const verifier = await logKeyFrom(key);
  // A terminal's redirection adds the line's end that the command left away.
  const text = `${(await contentOf(file)).trimEnd()}\n`;
  try {
    const proof = parseProof(text);
    const size = checkProof(proof, verifier);
    demandCosignatures(proof.checkpoint, await witnessesFrom(witness), note);
    return `${proof.leaf}\nis entry ${proof.index} of a log that had ${size} when it was signed.`;
  } catch (error) {
    if (error instanceof NoteError) throw new CommandFailure(error.message);
    throw error;
  }
}

async function verifyEvidence(
  file: string,
  { key, witness }: VerifyOptions,
  note: (line: string) => void,
): Promise<string> {
  if (!key) throw new CommandFailure(KEY_IS_NEEDED, EXIT.usage);
  const verifier = await logKeyFrom(key);
  const pack = EvidencePack.safeParse(parseJson(await contentOf(file)));
  if (!pack.success) throw new CommandFailure(`${file} is no evidence of a case, or it is damaged.`, EXIT.usage);
  try {
    const [finding] = verifyPack(pack.data, verifier);
    if (finding !== undefined) throw new CommandFailure(finding);
    demandCosignatures(pack.data.log.checkpoint, await witnessesFrom(witness), note);
  } catch (error) {
    if (error instanceof NoteError) throw new CommandFailure(error.message);
    throw error;
  }
  const { entries } = pack.data.log;
  return `All ${entries.length} audit entries of case ${pack.data.case.id} are in the log as it was sealed, and the case is as they say.`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function verifyFile(
  file: string,
  options: VerifyOptions,
  out: (line: string) => void,
  note: (line: string) => void,
): Promise<readonly string[]> {
  if (!options.key) {
    throw new CommandFailure(KEY_IS_NEEDED, EXIT.usage);
  }
  const check = await checkWith(await logKeyFrom(options.key), options);
  try {
    for await (const lines of readLogFile(file)) {
      for (const line of lines) if (!('format' in line)) check.part(line);
    }
  } catch (error) {
    if (error instanceof LogFileError) throw new CommandFailure(error.message);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new CommandFailure(`There is no file ${file}.`);
    throw error;
  }
  return verdict(check, out, note);
}

async function verifyDatabase(
  tx: EntityManager,
  options: VerifyOptions,
  out: (line: string) => void,
  note: (line: string) => void,
): Promise<readonly string[]> {
  const check = await checkWith(options.key ? await logKeyFrom(options.key) : await keyOf(tx), options);
  for await (const part of readLog(tx)) check.part(part);
  const broken = await brokenCommitments(tx);
  const { count, oldest } = await unsealed(tx);
  if (oldest > PATIENCE)
    note(`${count} entries wait to be sealed, the oldest for ${Math.round(oldest)} s. Does a worker run?`);
  return [...verdict(check, out, note), ...broken.map((what) => `A personal field was changed: ${what}.`)];
}

function verdict(check: LogCheck, out: (line: string) => void, note: (line: string) => void): readonly string[] {
  const findings = check.end();
  for (const remark of check.remarks) note(remark);
  if (findings.length === 0) out(`${check.size} entries are as they were sealed.`);
  return findings;
}

async function checkWith(key: NoteVerifier, { checkpoint = [], witness }: VerifyOptions): Promise<LogCheck> {
  const check = new LogCheck(key);
  for (const one of await witnessesFrom(witness)) check.demandCosignature(one);
  for (const from of checkpoint) check.compareWith({ from, note: await contentOf(from) });
  return check;
}

function logKeyFrom(textOrFile: string): Promise<NoteVerifier> {
  return readKey(textOrFile, (text) => NoteVerifier.parse(text));
}

async function witnessesFrom(witness: readonly string[] = []): Promise<CosignatureVerifier[]> {
  return Promise.all(witness.map((one) => readKey(one, (text) => CosignatureVerifier.parse(text))));
}

/** Of a single checkpoint. @throws CommandFailure, NoteError */
function demandCosignatures(
  checkpoint: string,
  witnesses: readonly CosignatureVerifier[],
  note: (line: string) => void,
): void {
  for (const witness of witnesses) {
    const cosignature = witness.read(checkpoint);
    if (!cosignature) throw new CommandFailure(`Its checkpoint isn’t cosigned by ${witness.name}.`);
    note(`${witness.name} cosigned its checkpoint at ${cosignature.at.toISOString()}.`);
  }
}

async function keyOf(tx: EntityManager): Promise<NoteVerifier> {
  const key = await verifierOf(tx);
  if (!key)
    throw new CommandFailure(
      'The audit log has no key yet. Run `quartermaster init`: it makes one and changes nothing else.',
    );
  return key;
}
