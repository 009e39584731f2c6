import { describeApi } from '../platform/api-docs/describe-api.js';
import type { AddCommand } from './command.js';
import { printWriteOrCheck, type DocumentOptions } from './committed-document.js';
import { unstartedApp } from './unstarted-app.js';

export const addOpenApi: AddCommand = (program, { out }) => {
  program
    .command('openapi')
    .description("print the API's OpenAPI document; needs no database")
    .option('--write', 'write it to the file instead')
    .option('--check', 'exit with 1 when the file differs')
    .option('--file <file>', 'the committed document', 'docs/openapi.json')
    .action(async (options: DocumentOptions) => {
      const document = `${JSON.stringify(describeApi(await unstartedApp()), null, 2)}\n`;
      await printWriteOrCheck('openapi', document, options, out);
    });
};
