import type { Capability, CheckReport } from '../kit/contract.js';
import { ToolError } from '../kit/errors.js';
import { quoteAccount, quoteIdentifier, type AccountName } from './account-names.js';
import type { MysqlClient } from './client.js';
import { OWN_GRANTEE } from './sessions.js';

const LOOKS: readonly Capability[] = ['listAccounts', 'findAccounts', 'getAccount'];
const ENDS_SESSIONS: readonly Capability[] = [
  'suspendAccount',
  'removeAccount',
  'resetCredentials',
  'revokeAccess',
  'withdraw',
];

/** Global privileges, and what can't be done without each. */
const GLOBAL: Readonly<Record<string, readonly Capability[]>> = {
  'CREATE USER': ['createAccount', 'suspendAccount', 'restoreAccount', 'removeAccount', 'resetCredentials'],
  PROCESS: ENDS_SESSIONS,
  'CONNECTION ADMIN': ENDS_SESSIONS,
};

/** What is missing of the privileges that README.md lists; privileges that come from a role of our own don't count. */
export async function missingPermissions(
  client: MysqlClient,
  own: AccountName,
  schema: string,
): Promise<CheckReport['missing']> {
  const missing: CheckReport['missing'][number][] = [];
  const lacks = (capabilities: readonly Capability[], permission: string, on: string, privileges = permission) => {
    const remedy = `GRANT ${privileges} ON ${on} TO ${quoteAccount(own)};`;
    for (const capability of capabilities) missing.push({ capability, permission, remedy });
  };
  const held = new Set(
    (await client.query<{ privilege: string }>(HELD_GLOBALLY)).map(({ privilege }) => privilege.toUpperCase()),
  );
  for (const [privilege, capabilities] of Object.entries(GLOBAL)) {
    if (!held.has(privilege)) lacks(capabilities, privilege, '*.*');
  }
  const marks = `${quoteIdentifier(schema)}.marks`;
  const accounts = `${quoteIdentifier(schema)}.accounts`;
  const readable = new Map<string, boolean>();
  for (const table of [accounts, marks, 'mysql.roles_mapping']) {
    readable.set(table, await mayRead(client, table));
    if (!readable.get(table)) lacks(LOOKS, `SELECT on ${table}`, table, 'SELECT');
  }
  const onMarks = await client.query<{ privilege: string }>(HELD_ON_MARKS, [schema, schema]);
  for (const { privilege } of onMarks) held.add(privilege.toUpperCase());
  for (const privilege of ['INSERT', 'UPDATE', 'DELETE']) {
    if (held.has(privilege)) continue;
    lacks(['createAccount', 'removeAccount', 'resetCredentials'], `${privilege} on ${marks}`, marks, privilege);
  }
  if (readable.get('mysql.roles_mapping') && (await rolesToGive(client, own)) === 0) {
    const remedy = `GRANT <role> TO ${quoteAccount(own)} WITH ADMIN OPTION;`;
    for (const capability of ['grant', 'withdraw'] as const) {
      missing.push({ capability, permission: 'ADMIN OPTION on a role', remedy });
    }
  }
  return missing;
}

const HELD_GLOBALLY = `
  SELECT PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = ${OWN_GRANTEE}`;

const HELD_ON_MARKS = `
  SELECT PRIVILEGE_TYPE AS privilege FROM information_schema.TABLE_PRIVILEGES
  WHERE GRANTEE = ${OWN_GRANTEE} AND TABLE_SCHEMA = ? AND TABLE_NAME = 'marks'
  UNION
  SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
  WHERE GRANTEE = ${OWN_GRANTEE} AND TABLE_SCHEMA = ?`;

async function mayRead(client: MysqlClient, table: string): Promise<boolean> {
  try {
    await client.query(`SELECT 1 FROM ${table} LIMIT 0`);
    return true;
  } catch (error) {
    if (error instanceof ToolError && error.kind === 'forbidden') return false;
    throw error;
  }
}

async function rolesToGive(client: MysqlClient, { user, host }: AccountName): Promise<number> {
  const rows = await client.query(
    "SELECT 1 FROM mysql.roles_mapping WHERE User = ? AND Host = ? AND Admin_option = 'Y'",
    [user, host],
  );
  return rows.length;
}
