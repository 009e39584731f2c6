import pg from 'pg';

/**
 * A client that closes its connection when a query got no answer in time. pg itself gives up the query and keeps the
 * connection, still waiting: put back into the pool, it makes each later query wait for the same time-out.
 */
export class ImpatientClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const query = this.query.bind(this) as (...args: unknown[]) => unknown;
    Object.assign(this, {
      query: (...args: unknown[]): unknown => {
        const answer = query(...args);
        if (answer instanceof Promise) {
          answer.catch((error: unknown) => {
            // With a query under way, `end` cuts the connection without a goodbye.
            if (error instanceof Error && error.message === 'Query read timeout') void this.end();
          });
        }
        return answer;
      },
    });
  }
}
