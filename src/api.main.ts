import type { Server } from 'node:https';
import { Logger } from 'nestjs-pino';
import { AccessPolicyService } from './access-policy/access-policy.service.js';
import { AlertingLoop } from './alerting/alerting-loop.service.js';
import { PolicyAlarm } from './alerting/policy-alarm.service.js';
import { AppModule } from './app.module.js';
import { openGround } from './ground.js';
import { Runbooks } from './lost-devices/runbook/runbooks.service.js';
import { loadConfig } from './platform/config/config.js';
import { createHttpApp } from './platform/http/http-door.js';
import { EndingConnections } from './platform/http/ending-connections.js';
import { describeFailure } from './platform/lifecycle/failure.js';
import { expectShortLivedObjects } from './platform/lifecycle/short-lived.js';
import { stopCleanly } from './platform/lifecycle/stop-cleanly.js';
import { checkTransport } from './platform/transport/check-transport.js';
import { TlsCertificate } from './platform/transport/tls-certificate.js';
import { GaugeSender } from './platform/telemetry/gauge-sender.service.js';
import { Measurements } from './platform/telemetry/measurements.service.js';

const NAME = 'API server';

/** The API server: `node dist/src/api.main.js`, set up by the environment (see platform/config/config.ts). */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  expectShortLivedObjects();
  const transport = checkTransport(loadConfig(env));
  const ground = await openGround(env, { applicationName: 'quartermaster-api', patience: 30, opensRecoveryKeys: true });
  const { tls } = ground.config;
  const certificate = tls && (await TlsCertificate.load(tls));
  const app = await createHttpApp(AppModule.of(ground), certificate?.pair);
  const connections = new EndingConnections(app.getHttpServer());
  const alerting = app.get(AlertingLoop);
  const measurements = app.get(Measurements);
  const gauges = app.get(GaugeSender);
  stopCleanly(env, async () => {
    connections.end();
    gauges.stop();
    await alerting.stop();
    await measurements.stop(NAME);
    await app.close();
    await ground.db.destroy();
  });
  // A broken file is told in the log and changes nothing.
  const policy = await app.get(AccessPolicyService).loadFile();
  await app.get(PolicyAlarm).tell(policy, ground.config.accessPolicyFile);
  await app.get(Runbooks).provideFirst();
  await app.listen(ground.config.port, ground.config.host);
  const logger = app.get(Logger);
  app.useLogger(logger);
  if (transport !== null) logger.warn(transport);
  certificate?.keepCurrent(app.getHttpServer() as Server, (sentence) => logger.warn(sentence));
  alerting.start(NAME, (error) => logger.warn({ err: error }, 'alerts could not be looked after; they are again'));
  measurements.start(NAME);
  gauges.start();
  console.log(`Quartermaster API ready at ${ground.config.publicUrl}`);
}

main(process.env).catch((error: unknown) => {
  const { message, exitCode } = describeFailure(error);
  console.error(message);
  process.exit(exitCode);
});
