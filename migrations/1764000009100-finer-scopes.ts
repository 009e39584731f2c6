import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a scope allowed before, and is a scope of its own now: whoever held the first holds the others as well. */
const SPLIT = {
  'people:read': ['people:read-terms'],
  'devices:read': ['devices:read-serials', 'devices:read-recovery-keys'],
  'steps:decide': ['steps:confirm'],
};
const HOLDERS = ['api_tokens', 'sign_in_links', 'browser_sessions'];

/** Serial numbers, recovery keys, the terms of an employment and confirmations have scopes of their own. */
export class FinerScopes1764000009100 implements MigrationInterface {
  readonly name = 'FinerScopes1764000009100';

  async up(db: QueryRunner): Promise<void> {
    for (const holder of HOLDERS) {
      for (const [scope, finer] of Object.entries(SPLIT)) {
        await db.query(`UPDATE ${holder} SET scopes = scopes || $2::text[] WHERE $1 = ANY(scopes)`, [scope, finer]);
      }
    }
  }

  async down(db: QueryRunner): Promise<void> {
    for (const holder of HOLDERS) {
      await db.query(
        `UPDATE ${holder} SET scopes = ARRAY(SELECT scope FROM unnest(scopes) AS scope WHERE scope <> ALL($1::text[]))`,
        [Object.values(SPLIT).flat()],
      );
    }
  }
}
