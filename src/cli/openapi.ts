import { readFile, writeFile } from 'node:fs/promises';
import { AppModule } from '../app.module.js';
import { createDataSource } from '../data-source.js';
import { describeApi } from '../platform/api-docs/describe-api.js';
import { loadConfig } from '../platform/config/config.js';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { createHttpApp } from '../platform/http/http-door.js';
import { CommandFailure, type AddCommand } from './command.js';

interface Options {
  check?: boolean;
  write?: boolean;
  file: string;
}

export const addOpenApi: AddCommand = (program, { out }) => {
  program
    .command('openapi')
    .description("print the API's OpenAPI document; needs no database")
    .option('--write', 'write it to the file instead')
    .option('--check', 'exit with 1 when the file differs')
    .option('--file <file>', 'the committed document', 'docs/openapi.json')
    .action(async ({ check, write, file }: Options) => {
      const document = await currentDocument();
      if (write) {
        await writeFile(file, document);
        out(`wrote ${file}`);
      } else if (check) {
        const committed = await readFile(file, 'utf8').catch(() => '');
        if (committed !== document) {
          throw new CommandFailure(
            `${file} is not what the code says. Run \`quartermaster openapi --write\` and look at the difference.`,
          );
        }
        out(`${file} is what the code says.`);
      } else out(document.trimEnd());
    });
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
