import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { evidencePage } from '../evidence-packs/evidence-page.js';
import { EvidencePacks } from '../evidence-packs/evidence-packs.service.js';
import { proofText } from '../platform/audit/log-proof.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

export const addCases: AddCommand = (program, { out, actor, withServices }) => {
  program
    .command('cases')
    .description('what an auditor asks of cases')
    .command('evidence <case-id>')
    .description('write the evidence of a case to a folder: a page to read, JSON, and the proof of each audit entry')
    .requiredOption('--out <folder>', 'where to; its files are written anew')
    .action(async (id: string, options: { out: string }) => {
      if (!z.uuid().safeParse(id).success) throw new CommandFailure('That is no id of a case.', EXIT.usage);
      await withServices(async (services) => {
        const pack = await services.get(EvidencePacks, { strict: false }).of(id, actor);
        await mkdir(join(options.out, 'proofs'), { recursive: true });
        const write = (name: string, text: string) => writeFile(join(options.out, name), text, { mode: 0o600 });
        await write('evidence.json', `${JSON.stringify(pack, null, 2)}\n`);
        await write('evidence.html', evidencePage(pack));
        for (const { index, leaf, hashes } of pack.log.entries) {
          const bytes = hashes.map((hash) => Buffer.from(hash, 'base64'));
          const proof = proofText({ leaf, index, hashes: bytes, checkpoint: pack.log.checkpoint });
          await write(join('proofs', `${index}.tlog-proof`), proof);
          await write(join('proofs', `${index}.json`), leaf);
        }
        out(
          `Wrote the evidence of ${pack.steps.length} steps, with ${pack.log.entries.length} proofs, to ${options.out}.`,
        );
        for (const { why, toolName } of pack.notProved) out(`not proved: ${toolName ? `${toolName}: ` : ''}${why}`);
      });
    });
};
