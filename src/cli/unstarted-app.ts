import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from '../app.module.js';
import { createDataSource } from '../data-source.js';
import { loadConfig } from '../platform/config/config.js';
import { InstallationKey } from '../platform/crypto/installation-key.js';
import { createHttpApp } from '../platform/http/http-door.js';

/** The application, put together and never started, to be described: it connects to nothing. */
export async function unstartedApp(): Promise<NestExpressApplication> {
  const url = 'postgres://nowhere.invalid/none';
  return createHttpApp(
    AppModule.of({
      config: loadConfig({ DATABASE_URL: url, QUARTERMASTER_KEY_FILE: 'none', LOG_LEVEL: 'silent' }),
      db: createDataSource({ url, applicationName: 'quartermaster-describe' }),
      key: new InstallationKey(Buffer.alloc(32)),
    }),
  );
}
