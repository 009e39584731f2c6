import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../scripts/embedded/free-port.js';
import {
  endProcess,
  giveToServer,
  makeToolFolder,
  programOnPath,
  recordProcess,
  startToolProcess,
} from './tool-process.js';

export interface RabbitmqServer {
  /** Of the management API, without `/api`. */
  managementUrl: string;
  amqpPort: number;
  administrator: { user: string; password: string };
  stop(): Promise<void>;
}

/** Debian's own script: the one in /usr/sbin runs the server as the user rabbitmq, in that user's folders. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server';

export function hasRabbitmq(): boolean {
  return existsSync(PROGRAM) && programOnPath('epmd') !== null;
}

/**
 * A RabbitMQ of the caller's own with its management API (apt: rabbitmq-server). Takes about 8 s, so one is started
 * for a whole test file. Erlang's port mapper (epmd) is started here too and is stopped with it: left to itself,
 * Erlang starts one for the whole machine and never stops it.
 */
export async function startRabbitmq(): Promise<RabbitmqServer> {
  const epmd = programOnPath('epmd');
  if (!existsSync(PROGRAM) || !epmd) throw new Error("RabbitMQ isn't installed: apt-get install rabbitmq-server");
  const folder = await makeToolFolder('rabbitmq');
  const [amqpPort, managementPort, epmdPort, distributionPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const administrator = { user: 'root', password: randomBytes(12).toString('hex') };
  const files = {
    'rabbitmq.conf': [
      `listeners.tcp.1 = 127.0.0.1:${amqpPort}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${managementPort}`,
      `default_user = ${administrator.user}`,
      `default_pass = ${administrator.password}`,
      'log.console.level = warning',
    ].join('\n'),
    plugins: '[rabbitmq_management].',
    // Without one of its own it would read the machine's.
    'rabbitmq-env.conf': '',
    'advanced.config': '[].',
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), `${text}\n`);
    await giveToServer(join(folder, name));
  }
  const env = { ERL_EPMD_PORT: String(epmdPort), ERL_EPMD_ADDRESS: '127.0.0.1' };
  const mapper = await startToolProcess({
    program: epmd,
    args: ['-port', String(epmdPort), '-address', '127.0.0.1'],
    folder,
    env,
    isReady: async () => true,
  });
  recordProcess(mapper.pid, `-port ${epmdPort}`);

  const managementUrl = `http://127.0.0.1:${managementPort}`;
  const authorization = `Basic ${Buffer.from(`${administrator.user}:${administrator.password}`).toString('base64')}`;
  const pidFile = join(folder, 'pid');
  const script = await startToolProcess({
    program: PROGRAM,
    args: [],
    folder,
    withinMs: 60_000,
    env: {
      ...env,
      RABBITMQ_NODENAME: `qm${managementPort}@localhost`,
      RABBITMQ_DIST_PORT: String(distributionPort),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
      RABBITMQ_CONF_ENV_FILE: join(folder, 'rabbitmq-env.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: folder,
      RABBITMQ_LOGS: '-',
      RABBITMQ_PID_FILE: pidFile,
    },
    async isReady() {
      const answer = await fetch(`${managementUrl}/api/whoami`, { headers: { authorization } }).catch(() => null);
      await answer?.body?.cancel();
      return answer?.status === 200;
    },
  });
  const broker = Number(await readFile(pidFile, 'utf8'));
  recordProcess(broker, folder);
  return {
    managementUrl,
    amqpPort,
    administrator,
    async stop() {
      // The script would report the broker's end as a crash, so it goes first.
      for (const pid of [script.pid, broker, mapper.pid]) await endProcess(pid);
    },
  };
}
