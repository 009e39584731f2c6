import { Logger } from 'nestjs-pino';
import { AccessPolicyService } from './access-policy/access-policy.service.js';
import { AppModule } from './app.module.js';
import { openGround } from './ground.js';
import { createHttpApp } from './platform/http/http-door.js';
import { describeFailure } from './platform/lifecycle/failure.js';
import { stopCleanly } from './platform/lifecycle/stop-cleanly.js';

/** The API server: `node dist/src/api.main.js`, set up by the environment (see platform/config/config.ts). */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const ground = await openGround(env, { applicationName: 'quartermaster-api', patience: 30 });
  const app = await createHttpApp(AppModule.of(ground));
  stopCleanly(env, async () => {
    await app.close();
    await ground.db.destroy();
  });
  // A broken file is told in the log and changes nothing.
  await app.get(AccessPolicyService).loadFile();
  await app.listen(ground.config.port, ground.config.host);
  app.useLogger(app.get(Logger));
  console.log(`Quartermaster API ready at ${ground.config.publicUrl}`);
}

main(process.env).catch((error: unknown) => {
  const { message, exitCode } = describeFailure(error);
  console.error(message);
  process.exit(exitCode);
});
