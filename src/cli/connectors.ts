import { connectors } from '../../connectors/index.js';
import { describeConnectors } from '../../connectors/kit/describe-connectors.js';
import type { AddCommand } from './command.js';
import { printWriteOrCheck, type DocumentOptions } from './committed-document.js';

export const addConnectors: AddCommand = (program, { out }) => {
  program
    .command('connectors')
    .description('print what each connector can do, and the permission it needs for it; needs no database')
    .option('--write', 'write it to the file instead')
    .option('--check', 'exit with 1 when the file differs')
    .option('--file <file>', 'the committed document', 'docs/connectors.md')
    .action((options: DocumentOptions) =>
      printWriteOrCheck('connectors', describeConnectors(connectors), options, out),
    );
};
