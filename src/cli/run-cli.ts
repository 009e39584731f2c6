import { Command, CommanderError } from 'commander';
import { describeFailure, EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type CliContext } from './command.js';
import { COMMANDS } from './commands.js';

const EXIT_CODES = `
Exit codes: 0 done · 1 not possible, or a check says no · 2 wrong arguments, configuration or key ·
3 PostgreSQL is away, try again later.`;

/**
 * Runs one command.
 * @param args Without node and the program.
 * @returns the exit code
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const program = new Command('quartermaster')
    .description("Looks after a company's people's access and devices, and proves it.")
    .addHelpText('after', EXIT_CODES)
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: (text) => context.out(text.trimEnd()),
      writeErr: (text) => context.note(text.trimEnd()),
    })
    .exitOverride();
  for (const add of COMMANDS) add(program, context);
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { message, exitCode } = error instanceof CommandFailure ? error : describeFailure(error);
    context.note(message);
    return exitCode;
  }
}
