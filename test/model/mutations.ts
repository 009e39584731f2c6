import type { DataSource } from 'typeorm';

/** Which planted bug is in force; none by default. A function of the engine asks for it by name. */
export const mutation: { name: string | null } = { name: null };

/** One change in the engine's SQL, while it is in force. */
interface ChangedSql {
  find: string;
  put: string;
  /** How often it was met: a bug that was never planted is not found by anything. */
  met: number;
}

let changed: ChangedSql | null = null;

/** From now on every statement that has `find` in it is sent with `put` in its place. */
export function changeSql(find: string, put: string): ChangedSql {
  changed = { find, put, met: 0 };
  return changed;
}

export function changeNothing(): void {
  changed = null;
  mutation.name = null;
}

/** Lets `changeSql` change what goes to this database, wherever in the engine it is written. */
export function letSqlBeChanged(db: DataSource): void {
  const createQueryRunner = db.createQueryRunner.bind(db);
  db.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode);
    const query = runner.query.bind(runner);
    runner.query = (sql: string, ...rest: unknown[]) => query(asChanged(sql), ...(rest as []));
    return runner;
  };
}

function asChanged(sql: string): string {
  if (!changed || !sql.includes(changed.find)) return sql;
  changed.met += 1;
  return sql.replace(changed.find, changed.put);
}
