import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describeRunbook } from '../lost-devices/runbook/describe-runbook.js';
import { parseRunbook } from '../lost-devices/runbook/parse-runbook.js';
import type { Runbook } from '../lost-devices/runbook/runbook-schema.js';
import { Runbooks } from '../lost-devices/runbook/runbooks.service.js';
import type { Mistake } from '../platform/documents/read-document.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';
import { printWriteOrCheck, type DocumentOptions } from './committed-document.js';

export const addRunbook: AddCommand = (program, { actor, out, withServices }) => {
  const runbook = program
    .command('runbook')
    .description('the laptop-lost runbook, which the service executes: check, activate, document');
  runbook
    .command('check <file>')
    .description('tell all mistakes of a runbook file, with their lines; needs no database')
    .action(async (file: string) => {
      const { tasks } = await runbookIn(file);
      out(`${file} is a good runbook of ${tasks.length} tasks.`);
    });
  runbook
    .command('activate <file>')
    .description('let later losses follow this file; those under way keep theirs')
    .action(async (file: string) => {
      const text = await textOf(file);
      const activated = await withServices((services) => services.get(Runbooks).activate(text, basename(file), actor));
      if (activated.outcome === 'refused') throw refused(file, activated.mistakes);
      out(`${activated.outcome}: ${activated.version.digest}`);
    });
  runbook
    .command('document')
    .description('print the page that people read, made from the file; needs no database')
    .option('--write', 'write it to the file instead')
    .option('--check', 'exit with 1 when the file differs')
    .option('--from <file>', 'the runbook', 'docs/runbooks/laptop-lost.yaml')
    .option('--file <file>', 'the committed document', 'docs/runbooks/laptop-lost.md')
    .action(async ({ from, ...options }: DocumentOptions & { from: string }) => {
      await printWriteOrCheck('runbook document', describeRunbook(await runbookIn(from)), options, out);
    });
};

async function runbookIn(file: string): Promise<Runbook> {
  const { document, mistakes } = parseRunbook(await textOf(file));
  if (document === null) throw refused(file, mistakes);
  return document;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(
      `${file} can’t be read: ${error instanceof Error ? error.message : String(error)}`,
      EXIT.usage,
    );
  }
}

function refused(file: string, mistakes: readonly Mistake[]): CommandFailure {
  return new CommandFailure(
    mistakes.map(({ line, column, message }) => `${file}:${line}:${column} ${message}`).join('\n'),
    EXIT.usage,
  );
}
