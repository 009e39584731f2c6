import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds between two looks, and so what a connection has at least for its first request. */
const EVERY = 250;

/**
 * Connections over which nothing was ever asked: a load balancer opens some ahead. Node's `close` waits for them as if
 * they were at work, for a minute.
 */
export class SilentConnections {
  private readonly silent = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.silent.add(socket);
      socket.once('close', () => this.silent.delete(socket));
    });
    server.on('request', ({ socket }) => this.silent.delete(socket));
  }

  /** From now on until the server is closed: for a server that is about to end. */
  end(): void {
    const timer = setInterval(() => {
      for (const socket of this.silent) socket.destroy();
    }, EVERY);
    this.server.once('close', () => clearInterval(timer));
  }
}
