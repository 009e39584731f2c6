import type { Writable } from 'node:stream';
import pg from 'pg';
import { isOutdatedPlan, preparedName } from './prepared.js';

/**
 * A client that waits for nobody: what is asked of it at the same time goes out in one packet, and PostgreSQL works
 * through it without a pause (pipelining). A query that gets no answer in time closes the connection, and so does one
 * whose preparation fits no more: put back into the pool, it would fail whoever gets it next. Statements that are marked
 * for it are prepared (see `prepared.ts`).
 */
export class ImpatientClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super({ ...(typeof config === 'string' ? { connectionString: config } : config), pipeline: true });
    const query = this.query.bind(this) as (...args: unknown[]) => unknown;
    Object.assign(this, {
      query: (text: unknown, ...rest: unknown[]): unknown => {
        const name = typeof text === 'string' ? preparedName(text) : undefined;
        this.gather();
        const answer = query(name === undefined ? text : { name, text }, ...rest);
        if (answer instanceof Promise) {
          answer.catch((error: unknown) => {
            // pg cuts a connection that owes an answer; ended by us as well, the pool knows at once.
            if (isTimeout(error) || isOutdatedPlan(error)) void this.end();
          });
        }
        return answer;
      },
    });
  }

  /** Whatever is written in this turn leaves in one system call, which is what a short query costs most. */
  private gather(): void {
    const { stream } = (this as unknown as { connection: { stream: Writable } }).connection;
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}
