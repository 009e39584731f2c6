import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../../scripts/embedded/free-port.js';
import { giveToServer, makeToolFolder, programOnPath, startToolProcess, type ToolProcess } from './tool-process.js';

export interface RedisAclServer {
  host: string;
  port: number;
  /** A connection of the `default` user, who may do everything. */
  connect(): Promise<Redis>;
  /** As an operator does it, or a power cut: only what was written to disk is there afterwards. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisAclOptions {
  /** Where ACL users are kept: a file of their own, or nowhere until somebody says CONFIG REWRITE. */
  aclFile: boolean;
  /** Further lines of redis.conf. */
  config?: readonly string[];
}

/** A Redis or Valkey of the caller's own whose ACL users tests may change (apt: redis-server). */
export async function startRedisWithAcl({ aclFile, config = [] }: RedisAclOptions): Promise<RedisAclServer> {
  const program = programOnPath('redis-server', 'valkey-server');
  if (!program) throw new Error("Redis isn't installed: apt-get install redis-server");
  const folder = await makeToolFolder('redis-acl');
  const port = await freePort();
  const configFile = join(folder, 'redis.conf');
  const aclPath = join(folder, 'users.acl');
  const lines = ['bind 127.0.0.1', `port ${port}`, `dir "${folder}"`, 'save ""', 'appendonly no', ...config];
  // The title carries the file’s path, by which the record of the run knows the process again.
  lines.push('proc-title-template "{title} {listen-addr} {config-file}"');
  await writeFile(configFile, `${[...lines, ...(aclFile ? [`aclfile "${aclPath}"`] : [])].join('\n')}\n`);
  await writeFile(aclPath, 'user default on nopass ~* &* +@all\n');
  for (const path of [configFile, aclPath]) await giveToServer(path);

  const connect = async () => {
    const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const isReady = async () => {
    const client = await connect().catch(() => null);
    client?.disconnect();
    return client !== null;
  };
  const start = () => startToolProcess({ program, args: [configFile], folder, isReady });
  let running: ToolProcess = await start();
  return {
    host: '127.0.0.1',
    port,
    connect,
    async restart() {
      await running.stop();
      running = await start();
    },
    stop: () => running.stop(),
  };
}
