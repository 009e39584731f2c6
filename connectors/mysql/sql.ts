import { quoteIdentifier } from './account-names.js';

/** The statements that look, for a schema that README.md’s statements have set up. */
export interface LookSql {
  accounts: string;
  marksWithoutAccount: string;
  roleNamed: string;
  rolesOf: string;
}

export function lookSql(schema: string): LookSql {
  const accounts = `${quoteIdentifier(schema)}.accounts`;
  const marks = `${quoteIdentifier(schema)}.marks`;
  return {
    accounts: `
      SELECT a.user, a.host, a.is_locked, a.plugin, a.other_ways, a.password_changed,
             m.mark, m.credential_version,
             (SELECT GROUP_CONCAT(CONCAT(s.user, '@', s.host)) FROM ${accounts} s
              WHERE s.user = a.user AND s.host <> a.host AND NOT s.is_role) AS namesakes
      FROM ${accounts} a LEFT JOIN ${marks} m ON m.user = a.user AND m.host = a.host
      WHERE NOT a.is_role`,
    /** Of an account that isn't there any more: what was noted, and who else may be it under another name. */
    marksWithoutAccount: `
      SELECT m.mark,
             (SELECT GROUP_CONCAT(CONCAT(a.user, '@', a.host)) FROM ${accounts} a
              LEFT JOIN ${marks} o ON o.user = a.user AND o.host = a.host
              WHERE a.password_changed = m.password_changed AND NOT a.is_role AND o.mark IS NULL) AS maybe_renamed
      FROM ${marks} m LEFT JOIN ${accounts} here ON here.user = m.user AND here.host = m.host
      WHERE m.user = ? AND m.host = ? AND here.user IS NULL`,
    /** Global privileges reach the schema mysql, where all accounts are; SHOW DATABASES (bit 14) alone doesn't. */
    roleNamed: `
      WITH RECURSIVE held (role) AS (
        SELECT user FROM ${accounts} WHERE is_role AND user = ?
        UNION
        SELECT r.Role FROM mysql.roles_mapping r JOIN held ON r.User = held.role AND r.Host = '')
      SELECT COUNT(*) AS found, SUM((a.powers & ~16384) <> 0) AS powerful
      FROM held JOIN ${accounts} a ON a.user = held.role AND a.is_role`,
    rolesOf: 'SELECT Role AS role FROM mysql.roles_mapping WHERE User = ? AND Host = ? ORDER BY 1',
  };
}
