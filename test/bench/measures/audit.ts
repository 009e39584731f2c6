import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cloneFolder } from '../../../scripts/embedded/places.js';
import { checkpointText } from '../../../src/platform/audit/checkpoint.js';
import { leafText } from '../../../src/platform/audit/leaf.js';
import { checkpointLine, entryLine, headerLine } from '../../../src/platform/audit/log-file.js';
import { leafHash, MerkleTree } from '../../../src/platform/audit/merkle-tree.js';
import { NoteSigner } from '../../../src/platform/audit/signed-note.js';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { BenchService } from '../stage/bench-service.js';
import type { BenchDatabase } from '../stage/stage.js';
import { spreadOf } from '../statistics.js';
import { until } from '../wait.js';
import { quartermasterRate, seedBatch } from './operations.js';

const TOOLS = 4;
/** As the sealer seals at most in one go. */
const ENTRIES_A_CHECKPOINT = 1_000;
/** Otherwise Node lets garbage lie for as long as the machine has room, and nothing can be seen of what is really held. */
const LITTLE_MEMORY = ['--max-old-space-size=96', '--max-semi-space-size=8'];

/** What the sealed log costs: the engine with the sealer against the engine without, and verifying an exported one. */
export const audit: Measure = {
  name: 'audit',
  run: async (context) => [await sealing(context), ...(await verifying(context))],
};

/**
 * In turns, so that whatever else the machine does meets both, and each first as often as last. Without sealing: the log
 * has no key, as before `quartermaster init`. Both write every entry, and each starts with nothing that waits to be sealed.
 */
async function sealing({ stage, smoke }: BenchContext): Promise<Row> {
  const [rounds, people] = smoke ? [2, 60] : [6, 600];
  const database = await stage.database();
  const service = await BenchService.start(stage, { database, tools: TOOLS, latency: 0 });
  try {
    const key = await LogKeyAway.from(database);
    const rateOf = async (isSealed: boolean, round: number): Promise<{ rate: number; waiting: number }> => {
      await until('all audit entries are sealed', async () => ((await unsealed(database)) === 0 ? true : undefined), {
        withinMs: 60_000,
        everyMs: 50,
      });
      const steps = await seedBatch(database, service.toolIds, `${isSealed ? 's' : 'u'}${round}`, people);
      if (!isSealed) await key.takeAway();
      const rate = await quartermasterRate(service, steps);
      const waiting = await unsealed(database);
      if (!isSealed) await key.putBack();
      return { rate, waiting };
    };
    await rateOf(true, rounds);
    const pairs: { sealed: number; unsealed: number; left: number; entries: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const [first, second] = [await rateOf(round % 2 === 0, round), await rateOf(round % 2 !== 0, round)];
      const [sealed, without] = round % 2 === 0 ? [first, second] : [second, first];
      pairs.push({ sealed: sealed.rate, unsealed: without.rate, left: sealed.waiting, entries: without.waiting });
    }
    const spread = spreadOf(pairs.map((pair) => pair.sealed / pair.unsealed));
    const of = (key: keyof (typeof pairs)[number]) => spreadOf(pairs.map((pair) => pair[key])).median;
    return {
      name: 'account operations per second with the audit log being sealed ÷ without',
      figure: spread.median,
      unit: '×',
      bound: { least: 0.9 },
      aim: { least: 0.95 },
      spread,
      samples: rounds * people * TOOLS,
      notes: [
        `sealed ${Math.round(of('sealed'))}/s, unsealed ${Math.round(of('unsealed'))}/s`,
        `when the last step was done, ${Math.round(of('left'))} of ${Math.round(of('entries'))} entries still waited to be sealed`,
      ],
    };
  } finally {
    await service.stop();
    await database.drop();
  }
}

/** The log's key, which can be taken away: nothing is sealed then. */
class LogKeyAway {
  private constructor(
    private readonly database: BenchDatabase,
    private readonly parts: unknown[],
  ) {}

  static async from(database: BenchDatabase): Promise<LogKeyAway> {
    const [log] = await database.rows(`SELECT key_name, public_key, secret_id FROM audit_log`);
    return new LogKeyAway(database, Object.values(log ?? {}));
  }

  async takeAway(): Promise<void> {
    await this.database.rows(`UPDATE audit_log SET key_name = NULL, public_key = NULL, secret_id = NULL`);
  }

  async putBack(): Promise<void> {
    await this.database.rows(`UPDATE audit_log SET key_name = $1, public_key = $2, secret_id = $3`, this.parts);
  }
}

function unsealed(database: BenchDatabase): Promise<number> {
  return database.value<number>(`SELECT count(*)::int FROM audit_entries WHERE leaf_index IS NULL`);
}

async function verifying({ stage, smoke }: BenchContext): Promise<Row[]> {
  const entries = smoke ? 20_000 : 1_000_000;
  const file = join(stage.folder, 'log.jsonl');
  const runs: { seconds: number; megabytes: number }[] = [];
  try {
    const key = await writeLog(file, entries / 5);
    const fifth = await verify(file, key);
    await rm(file);
    await writeLog(file, entries);
    for (let round = 0; round < 3; round += 1) runs.push(await verify(file, key));
    const seconds = spreadOf(runs.map((run) => run.seconds));
    const growth = spreadOf(runs.map((run) => run.megabytes / fifth.megabytes));
    return [
      {
        name: `verifying an exported audit log of ${entries.toLocaleString('en')} entries, in a process of its own`,
        figure: seconds.median,
        unit: 's',
        bound: { most: 30 },
        aim: { most: 8 },
        spread: seconds,
        samples: entries * runs.length,
        notes: [`a checkpoint each ${ENTRIES_A_CHECKPOINT} entries; start of the process included`],
        ...(smoke && { short: 'fewer entries than were promised' }),
      },
      {
        name: 'memory at its highest while verifying, ÷ that of a log a fifth as long',
        figure: growth.median,
        unit: '×',
        bound: { most: 1.2 },
        aim: { most: 1.1 },
        spread: growth,
        samples: runs.length,
        notes: [
          `${Math.round(spreadOf(runs.map((run) => run.megabytes)).median)} MB and ${Math.round(fifth.megabytes)} MB resident, most of which is the command line itself; Node’s heap was held to 96 MB`,
        ],
        ...(smoke && { short: 'fewer entries than were promised' }),
      },
    ];
  } finally {
    await rm(file, { force: true });
  }
}

/** A log as `audit export` writes it. @returns its key */
async function writeLog(file: string, entries: number): Promise<string> {
  const signer = new NoteSigner('bench.example/audit', Buffer.alloc(32, 7));
  const tree = MerkleTree.empty();
  const out = createWriteStream(file);
  const write = async (line: string): Promise<void> => {
    if (!out.write(`${line}\n`)) await once(out, 'drain');
  };
  await write(headerLine(signer.verifier.toString()));
  for (let index = 0; index < entries; index += 1) {
    const leaf = leafText(anEntry());
    const hash = leafHash(leaf);
    tree.append(hash);
    await write(entryLine({ index, hash, leaf }));
    if (tree.size % ENTRIES_A_CHECKPOINT === 0) {
      const text = checkpointText({ origin: signer.verifier.name, size: tree.size, root: tree.root() });
      await write(checkpointLine(signer.sign(text)));
    }
  }
  out.end();
  await once(out, 'finish');
  return signer.verifier.toString();
}

/** As the engine writes most. */
function anEntry(): object {
  return {
    version: 2,
    id: randomUUID(),
    at: '2026-11-23T12:00:00.000001Z',
    action: 'step.done',
    actor: { kind: 'system', id: 'system' },
    subject: { kind: 'person', id: randomUUID() },
    caseId: randomUUID(),
    stepId: randomUUID(),
    facts: { act: 'suspend_account', toolId: randomUUID() },
    commitments: {},
    context: null,
  };
}

async function verify(file: string, key: string): Promise<{ seconds: number; megabytes: number }> {
  const startedAt = performance.now();
  const program = join(cloneFolder(), 'dist/src/cli.main.js');
  const child = spawn(
    process.execPath,
    [...LITTLE_MEMORY, program, 'audit', 'verify', '--offline', file, '--key', key],
    {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'] },
    },
  );
  const ended = once(child, 'exit') as Promise<[number | null]>;
  let highest = 0;
  while (child.exitCode === null && child.signalCode === null) {
    highest = Math.max(highest, await highWaterMark(child.pid ?? 0));
    await Promise.race([ended, pause(20)]);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the log of the bench was not verified: the command ended with ${code}`);
  return { seconds: (performance.now() - startedAt) / 1000, megabytes: highest };
}

/** Of a process's resident memory, in MB; 0 once it has gone. Linux only, as the rest of the bench. */
async function highWaterMark(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
