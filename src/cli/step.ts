import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { Evidence } from '../cases/evidence.service.js';
import { StepDecisions } from '../cases/step-decisions.service.js';
import { TaskLinks } from '../cases/task-links/task-links.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

/** What a person decides about a step that needs one; its id stands in `quartermaster case`. */
export const addStep: AddCommand = (program, context) => {
  const step = program
    .command('step')
    .description(
      'a step that needs a person: complete, confirm, waive, retry, assign, a link for somebody else, and files as evidence',
    );
  addDecision(
    step,
    context,
    'complete',
    'it is done by hand; a tool that can be asked is asked',
    (decisions, id, text) => decisions.complete(id, text, context.actor),
  );
  addDecision(step, context, 'confirm', 'somebody else did it by hand, and you have seen it', (decisions, id, text) =>
    decisions.confirm(id, text, context.actor),
  );
  addDecision(step, context, 'waive', 'nobody will do it, and you answer for that', (decisions, id, text) =>
    decisions.waive(id, text, context.actor),
  );
  step
    .command('retry <id>')
    .description('what was in the way is gone: try again from the start')
    .action(async (id: string) => {
      await context.withServices((services) => services.get(StepDecisions).retry(stepId(id), context.actor));
      context.out(`${id} is tried again`);
    });
  step
    .command('assign <id> <owner>')
    .description('give it to somebody else, by address or name; their time begins anew')
    .action(async (id: string, owner: string) => {
      await context.withServices((services) => services.get(TaskLinks).assign(stepId(id), owner, context.actor));
      context.out(`${id} is with ${owner}`);
    });
  step
    .command('link <id> <email>')
    .description(
      'a link by which they do it by hand without a sign-in, good for seven days; send it to them and to nobody else',
    )
    .action(async (id: string, email: string) => {
      if (!z.email().safeParse(email).success)
        throw new CommandFailure('Say the address you will send it to.', EXIT.usage);
      const { url, expiresAt } = await context.withServices((services) =>
        services.get(TaskLinks).create(stepId(id), email, context.actor),
      );
      context.out(url);
      context.note(`It works until ${expiresAt.toISOString()}, once.`);
    });
  addEvidence(step, context);
};

function addEvidence(step: Command, { actor, out, withServices }: CliContext): void {
  step
    .command('attach <id> <file>')
    .description('leave a file as evidence with a step, 2 MiB at most')
    .action(async (id: string, file: string) => {
      const content = await readFile(file).catch(() => {
        throw new CommandFailure(`The file ${file} can't be read.`, EXIT.usage);
      });
      const sha256 = createHash('sha256').update(content).digest('hex');
      await withServices((services) => services.get(Evidence).add(stepId(id), sha256, basename(file), content, actor));
      out(`${sha256}  ${basename(file)}`);
    });
  step
    .command('evidence <id>')
    .description('list the files of a step, or save one of them')
    .option('--save <sha256>', 'the file to save')
    .option('--to <file>', 'where to; it must not be there yet')
    .action(async (id: string, { save, to }: { save?: string; to?: string }) => {
      if ((save === undefined) !== (to === undefined))
        throw new CommandFailure('Say both --save and --to.', EXIT.usage);
      if (save !== undefined && to !== undefined) {
        const { content } = await withServices((services) => services.get(Evidence).read(stepId(id), save, actor));
        await writeFile(to, content, { flag: 'wx', mode: 0o600 }).catch((error: Error) => {
          throw new CommandFailure(`${to} can't be written: ${error.message}`);
        });
        out(`wrote ${to}`);
        return;
      }
      const files = await withServices((services) => services.get(Evidence).list(stepId(id), actor));
      for (const { sha256, bytes, addedAt, addedBy, fileName } of files) {
        out(`${sha256}  ${bytes} bytes  ${addedAt.toISOString()}  ${addedBy}  ${fileName}`);
      }
    });
}

function addDecision(
  step: Command,
  { out, withServices }: CliContext,
  name: 'complete' | 'confirm' | 'waive',
  description: string,
  decide: (decisions: StepDecisions, id: string, text: string) => Promise<{ state: string }>,
): void {
  step
    .command(`${name} <id> <reason>`)
    .description(`${description}; the reason is kept with your name`)
    .action(async (id: string, reason: string) => {
      if (reason.trim().length < 3) throw new CommandFailure('Say in a few words why.', EXIT.usage);
      const { state } = await withServices((services) => decide(services.get(StepDecisions), stepId(id), reason));
      out(`${id} is ${state}`);
    });
}

function stepId(id: string): string {
  if (z.uuid().safeParse(id).success) return id;
  throw new CommandFailure('That is no id of a step. See `quartermaster case ID`.', EXIT.usage);
}
