import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** A line to a server that a test can cut or freeze: what a network does. */
export interface FaultyLink {
  /** The same address, but through the link. */
  through(url: string): string;
  /** Ends every connection and refuses new ones, as a server that went down. */
  cut(): Promise<void>;
  /** Keeps connections open and passes nothing on, as a server that hangs. */
  freeze(): void;
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function openLink(): Promise<FaultyLink> {
  const sockets = new Set<Socket>();
  let target = { host: '127.0.0.1', port: 5432 };
  let frozen = false;

  const accept = (client: Socket): void => {
    const upstream = connect(target);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => void (frozen || to.write(chunk)));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  };
  const listen = (port: number): Promise<Server> =>
    new Promise((resolve) => {
      const started = createServer(accept).listen(port, '127.0.0.1', () => resolve(started));
    });
  const end = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    sockets.forEach((socket) => socket.destroy());
    await closed;
  };

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    through(url) {
      const address = new URL(url);
      target = { host: address.hostname, port: Number(address.port) };
      address.hostname = '127.0.0.1';
      address.port = String(port);
      return address.href;
    },
    cut: end,
    freeze: () => void (frozen = true),
    async mend() {
      frozen = false;
      if (!server.listening) server = await listen(port);
    },
    close: end,
  };
}
