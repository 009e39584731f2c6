import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** An API whose launcher was killed outright needs a moment to notice and to leave. */
const PATIENCE_MS = 2_000;
const NEIGHBOURS = 20;

/** The wanted port is somebody else's. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/**
 * The port to serve on: the wanted one; when that is taken and nobody insisted on it, the next free one.
 *
 * @throws {PortTaken}
 */
export async function choosePort(wanted: number, isInsistedOn: boolean): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (await isFree(wanted)) return wanted;
    await pause(100);
  }
  if (isInsistedOn) throw new PortTaken(`Port ${wanted} is taken by another program. Name another one: --port 3001`);
  for (let port = wanted + 1; port <= wanted + NEIGHBOURS; port++) if (await isFree(port)) return port;
  throw new PortTaken(`The ports ${wanted} to ${wanted + NEIGHBOURS} are all taken. Name a free one with --port.`);
}

/** On both loopback addresses: `localhost` may mean either one. */
async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'));
}

async function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch (error) {
    // A machine without IPv6 has no ::1 that could be taken.
    return error instanceof Error && 'code' in error && error.code !== 'EADDRINUSE' && error.code !== 'EACCES';
  }
}
