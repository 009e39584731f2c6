import { constants, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { Logger } from 'nestjs-pino';
import { AlertingLoop } from './alerting/alerting-loop.service.js';
import { PublishAuditLog } from './alerting/publish-audit-log.service.js';
import { SealAuditLog } from './alerting/seal-audit-log.service.js';
import { AppModule } from './app.module.js';
import { AskDeviceManagers } from './device-managers/ask-device-managers.service.js';
import { Sweeper } from './cases/engine/sweep.js';
import { StepRunner } from './cases/engine/run-step.js';
import { StepMeasures } from './cases/engine/step-measures.service.js';
import { startWorker } from './cases/engine/worker-loop.js';
import { LANES, type Lane } from './cases/step-states.js';
import { ThinObservations } from './devices/retention/thin-observations.service.js';
import { openGround } from './ground.js';
import { DueEmployments } from './hr-feeds/due-employments.service.js';
import { GiveCommands } from './lost-devices/commands/give-commands.service.js';
import { EraseLossReports } from './lost-devices/reports/erase-loss-reports.service.js';
import { describeFailure, EXIT } from './platform/lifecycle/failure.js';
import { expectShortLivedObjects } from './platform/lifecycle/short-lived.js';
import { stopCleanly } from './platform/lifecycle/stop-cleanly.js';
import { Measurements } from './platform/telemetry/measurements.service.js';
import { AskWitnesses } from './witnesses/ask-witnesses.service.js';

/**
 * A worker: `node dist/src/worker.main.js --lanes emergency` or `--lanes standard,bulk`, set up by the environment. The
 * emergency lane is a process of its own and needs no Redis.
 */
async function main(env: NodeJS.ProcessEnv): Promise<void> {
  const lanes = lanesFrom(process.argv.slice(2));
  const name = `quartermaster-worker-${lanes.join('+')}`;
  // Where processor time is short, a webhook's answer and an emergency come first.
  if (!lanes.includes('emergency')) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  expectShortLivedObjects();
  const ground = await openGround(env, {
    applicationName: name,
    patience: 30,
    poolSize: 16,
    keepConnections: lanes.includes('emergency'),
  });
  const services = await NestFactory.createApplicationContext(AppModule.of(ground), {
    logger: ['fatal', 'error', 'warn'],
    abortOnError: false,
  });
  const logger = services.get(Logger);
  const alerting = services.get(AlertingLoop);
  const measures = services.get(StepMeasures);
  const measurements = services.get(Measurements);
  measures.start();
  const onError = (error: unknown): void =>
    logger.warn({ err: error }, 'a worker could not finish something; it is taken up again');
  const worker = await startWorker({
    db: ground.db,
    databaseUrl: ground.config.databaseUrl,
    redisUrl: ground.config.redisUrl,
    lanes,
    runner: services.get(StepRunner),
    sweeper: services.get(Sweeper),
    chores: [
      () => services.get(DueEmployments).applyDue(),
      // Hashing takes a while under load, and an emergency waits for nothing.
      ...(lanes.includes('emergency')
        ? [() => services.get(GiveCommands).beginDue(onError)]
        : [
            () => services.get(SealAuditLog).sealOrTell(),
            () => services.get(PublishAuditLog).publishNowAndThen(),
            () => services.get(AskWitnesses).askNowAndThen(),
            () => services.get(AskDeviceManagers).askNowAndThen(),
            () => services.get(ThinObservations).thinNowAndThen(),
            () => services.get(EraseLossReports).eraseNowAndThen(),
          ]),
    ],
    onError,
    onLost: (why) => {
      // Others may take our steps from now on: not one more call may leave this process.
      console.error(`${name} ends itself: ${why}`);
      process.exit(EXIT.unavailable);
    },
  });
  alerting.start(name, (error) => logger.warn({ err: error }, 'alerts could not be looked after; they are again'));
  measurements.start(name);
  stopCleanly(env, async () => {
    await Promise.all([worker.stop(), alerting.stop(), services.get(GiveCommands).stop()]);
    await measures.stop();
    await measurements.stop(name);
    await services.close();
    await ground.db.destroy();
  });
  console.log(`Quartermaster worker ready for ${lanes.join(' and ')}`);
}

function lanesFrom(args: readonly string[]): Lane[] {
  const { values } = parseArgs({ args: [...args], options: { lanes: { type: 'string' } } });
  const wanted = (values.lanes ?? '').split(',');
  const lanes = LANES.filter((lane) => wanted.includes(lane));
  const mixed = lanes.includes('emergency') && lanes.length > 1;
  if (lanes.length !== wanted.length || mixed) {
    console.error('Say which lanes: --lanes emergency, or --lanes standard,bulk (the emergency lane runs alone).');
    process.exit(EXIT.usage);
  }
  return lanes;
}

main(process.env).catch((error: unknown) => {
  const { message, exitCode } = describeFailure(error);
  console.error(message);
  process.exit(exitCode);
});
