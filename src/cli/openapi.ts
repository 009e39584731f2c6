import { AppModule } from '../app.module.js';
import { createDataSource } from '../data-source.js';
import { describeApi } from '../platform/api-docs/describe-api.js';
import { loadConfig } from '../platform/config/config.js';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { createHttpApp } from '../platform/http/http-door.js';
import type { AddCommand } from './command.js';
import { printWriteOrCheck, type DocumentOptions } from './committed-document.js';

export const addOpenApi: AddCommand = (program, { out }) => {
  program
    .command('openapi')
    .description("print the API's OpenAPI document; needs no database")
    .option('--write', 'write it to the file instead')
    .option('--check', 'exit with 1 when the file differs')
    .option('--file <file>', 'the committed document', 'docs/openapi.json')
    .action(async (options: DocumentOptions) => printWriteOrCheck('openapi', await currentDocument(), options, out));
};

/** Describes an application that is put together but never started: it connects to nothing. */
async function currentDocument(): Promise<string> {
  const url = 'postgres://nowhere.invalid/none';
  const app = await createHttpApp(
    AppModule.of({
      config: loadConfig({ DATABASE_URL: url, QUARTERMASTER_KEY_FILE: 'none', LOG_LEVEL: 'silent' }),
      db: createDataSource({ url, applicationName: 'quartermaster-openapi' }),
      key: new InstallationKey(Buffer.alloc(32)),
    }),
  );
  return `${JSON.stringify(describeApi(app), null, 2)}\n`;
}
