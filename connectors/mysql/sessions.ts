import type { LiveThings } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import type { MysqlClient } from './client.js';
import { NO_SUCH_THREAD, serverErrno } from './mysql-errors.js';

interface Thread {
  id: string;
  user: string;
}

/** The sessions at one server. They are known by user name only: the process list doesn't say which account's host. */
export class Sessions {
  private permission: Promise<boolean> | undefined;

  constructor(private readonly client: MysqlClient) {}

  /** What every user name has open; for names without sessions `of(…)` answers 0. */
  async count(): Promise<{ of(user: string): LiveThings }> {
    if (!(await this.mayBeSeen())) {
      const because = 'Without the privilege PROCESS the server shows the service its own sessions only.';
      return { of: () => ({ seen: false, residualUntil: null, because }) };
    }
    const threads = await this.threads();
    return {
      of(user) {
        const ids = idsOf(threads, user);
        return { seen: true, live: ids.length, ids };
      },
    };
  }

  /**
   * Ends all sessions of a user name and waits until none is there; answers how many were ended. Among them are
   * connections that have said their name and not yet their password (`Connect` in the process list): the server has
   * read the account by then and would let them in on what it was before, for as long as `connect_timeout` (seen on
   * 10.11, after a lock, a new password and even DROP USER). Throws `forbidden` without the privileges, `transient`
   * when sessions stay.
   */
  async end(user: string): Promise<number> {
    if (!(await this.mayBeSeen())) {
      throw new ToolError('forbidden', 'Sessions can’t be seen, so it can’t be known whether they ended.', {
        permission: 'PROCESS',
      });
    }
    const ended = new Set<string>();
    const gone = await this.client.until(async () => {
      const sessions = idsOf(await this.threads(), user);
      for (const id of sessions) {
        await this.kill(id);
        ended.add(id);
      }
      return sessions.length === 0;
    });
    if (!gone) throw new ToolError('transient', `Sessions of “${user}” were told to end and are still there.`);
    return ended.size;
  }

  private async threads(): Promise<readonly Thread[]> {
    const rows = await this.client.query<{ id: string | number; user: string }>(
      'SELECT ID AS id, USER AS user FROM information_schema.PROCESSLIST',
    );
    return rows.map(({ id, user }) => ({ id: String(id), user }));
  }

  private async kill(id: string): Promise<void> {
    if (!/^\d+$/.test(id))
      throw new ToolError('invalid', 'The server named a session by something else than a number.');
    try {
      await this.client.change(`KILL CONNECTION ${id}`);
    } catch (error) {
      // It ended by itself meanwhile; the server never uses a number twice.
      if (!(error instanceof ToolError) || serverErrno(error.cause) !== NO_SUCH_THREAD) throw error;
    }
  }

  private mayBeSeen(): Promise<boolean> {
    this.permission ??= this.client
      .query(
        `SELECT 1 FROM information_schema.USER_PRIVILEGES
         WHERE GRANTEE = ${OWN_GRANTEE} AND PRIVILEGE_TYPE = 'PROCESS'`,
      )
      .then((rows) => rows.length > 0);
    return this.permission;
  }
}

/** How information_schema's tables of privileges name the account we are: quoted, and nothing in it escaped. */
export const OWN_GRANTEE = `(SELECT CONCAT("'", LEFT(CURRENT_USER(), LENGTH(CURRENT_USER())
   - LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), "'@'", SUBSTRING_INDEX(CURRENT_USER(), '@', -1), "'"))`;

function idsOf(threads: readonly Thread[], user: string): string[] {
  return threads.filter((thread) => thread.user === user).map(({ id }) => id);
}
