import type { Command } from 'commander';
import { z } from 'zod';
import { StepDecisions } from '../cases/step-decisions.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

/** What a person decides about a step that needs one; its id stands in `quartermaster case`. */
export const addStep: AddCommand = (program, context) => {
  const step = program.command('step').description('a step that needs a person: complete, waive, retry');
  addDecision(
    step,
    context,
    'complete',
    'it is done by hand; a tool that can be asked is asked',
    (decisions, id, text) => decisions.complete(id, text, context.actor),
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
};

function addDecision(
  step: Command,
  { out, withServices }: CliContext,
  name: 'complete' | 'waive',
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
