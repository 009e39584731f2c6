import { hostname, userInfo } from 'node:os';
import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import { AppModule } from '../app.module.js';
import { createDataSource } from '../data-source.js';
import { openGround } from '../ground.js';
import { loadDatabaseUrl, type Environment } from '../platform/config/config.js';
import type { Ground } from '../platform/platform.module.js';
import { SCOPES, type Actor } from '../platform/sign-in/actor.js';
import type { CliContext } from './command.js';

const APPLICATION_NAME = 'quartermaster-cli';

/** What commands work with in a real terminal. */
export function cliContext(env: Environment, out: (line: string) => void, note: (line: string) => void): CliContext {
  return {
    env,
    out,
    note,
    actor: terminalActor(),
    async withDatabase(work) {
      const db = createDataSource({
        url: loadDatabaseUrl(env),
        applicationName: APPLICATION_NAME,
        poolSize: 3,
        unlimited: true,
      });
      await db.initialize();
      try {
        return await work(db);
      } finally {
        await db.destroy();
      }
    },
    async withServices(work) {
      const ground = await openGround(env, { applicationName: APPLICATION_NAME, poolSize: 3, opensRecoveryKeys: true });
      try {
        // The result goes to the standard output; the log must not mix with it.
        const quiet: Ground = { ...ground, log: { level: 'error', stream: pino.destination(2) } };
        const services = await NestFactory.createApplicationContext(AppModule.of(quiet), {
          logger: ['fatal', 'error', 'warn'],
          abortOnError: false,
        });
        try {
          return await work(services);
        } finally {
          await services.close();
        }
      } finally {
        await ground.db.destroy();
      }
    },
  };
}

/** Whoever can run commands beside the key file may do everything; the audit log says under which name. */
function terminalActor(): Actor {
  const name = userName();
  return {
    kind: 'admin',
    id: `terminal:${name}`,
    name,
    scopes: SCOPES,
    from: { via: 'terminal', address: hostname() },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user often has a number and no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
