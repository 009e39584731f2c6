import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/**
 * A line to a server whose connections can go deaf, as when a firewall forgets them: nothing comes through any more,
 * nobody is told, and they never recover. New connections are as good as the line is at that moment.
 */
export interface HalfOpenLink {
  /** The same address, but through the link. */
  through(url: string): string;
  /** All connections there are go deaf for good, and new ones do too, until `mend`. */
  swallow(): void;
  /** New connections work again. The deaf ones stay deaf. */
  mend(): void;
  close(): Promise<void>;
}

export async function openHalfOpenLink(targetUrl: string): Promise<HalfOpenLink> {
  const target = new URL(targetUrl);
  const lines = new Set<{ deaf: boolean; sockets: readonly Socket[] }>();
  let swallowing = false;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const line = { deaf: swallowing, sockets: [client, upstream] };
    lines.add(line);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk) => void (line.deaf || to.write(chunk)));
      from.on('error', () => undefined);
      from.on('close', () => {
        // A deaf line tells nobody, not even that the other end has gone.
        if (from === client || !line.deaf) to.destroy();
        if (from === client) lines.delete(line);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    through(url) {
      const address = new URL(url);
      address.hostname = '127.0.0.1';
      address.port = String(port);
      return address.href;
    },
    swallow() {
      swallowing = true;
      for (const line of lines) line.deaf = true;
    },
    mend: () => void (swallowing = false),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { sockets } of lines) sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
