import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds between two looks, and so what a connection has at least for its first request. */
const EVERY = 250;

/**
 * Lets connections go when a server ends. Node's `close` waits for those over which nothing was ever asked, as a load
 * balancer opens some ahead, and for those that are kept alive and asked over again and again: for ever, if need be.
 */
export class EndingConnections {
  /** By the caller's end: over TLS a request comes with another socket than the connection began with. */
  private readonly silent = new Map<string, Socket>();
  private isEnding = false;

  constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      const caller = callerOf(socket);
      this.silent.set(caller, socket);
      socket.once('close', () => this.silent.delete(caller));
    });
    server.prependListener('request', ({ socket }, response) => {
      this.silent.delete(callerOf(socket));
      // Whoever has more to ask does so over a new connection, at another server.
      if (this.isEnding) response.setHeader('Connection', 'close');
    });
  }

  /** From now on until the server is closed. */
  end(): void {
    this.isEnding = true;
    const timer = setInterval(() => {
      for (const socket of this.silent.values()) socket.destroy();
    }, EVERY);
    this.server.once('close', () => clearInterval(timer));
  }
}

function callerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
