import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds between two looks, and so what a connection has at least for its first request. */
const EVERY = 250;

/**
 * Lets connections go when a server ends. Node's `close` waits for those over which nothing was ever asked, as a load
 * balancer opens some ahead, and for those that are kept alive and asked over again and again: for ever, if need be.
 */
export class EndingConnections {
  private readonly silent = new Set<Socket>();
  private isEnding = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.silent.add(socket);
      socket.once('close', () => this.silent.delete(socket));
    });
    server.prependListener('request', ({ socket }, response) => {
      this.silent.delete(socket);
      // Whoever has more to ask does so over a new connection, at another server.
      if (this.isEnding) response.setHeader('Connection', 'close');
    });
  }

  /** From now on until the server is closed. */
  end(): void {
    this.isEnding = true;
    const timer = setInterval(() => {
      for (const socket of this.silent) socket.destroy();
    }, EVERY);
    this.server.once('close', () => clearInterval(timer));
  }
}
