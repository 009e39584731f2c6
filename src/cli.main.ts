#!/usr/bin/env node
import { cliContext } from './cli/cli-context.js';
import { runCli } from './cli/run-cli.js';

const context = cliContext(
  process.env,
  (line) => console.log(line),
  (line) => console.error(line),
);
process.exitCode = await runCli(process.argv.slice(2), context);
