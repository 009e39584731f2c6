import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A service may be there before anybody who answers for it: the first tokens are made when nobody is known yet. */
export class ServicesAtTheStart1764000013100 implements MigrationInterface {
  readonly name = 'ServicesAtTheStart1764000013100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE service_principals ALTER COLUMN owner_person_id DROP NOT NULL`);
  }

  /** Tokens of services that nobody answers for are what such tokens were before: with an owner in words. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE api_tokens SET service_principal_id = NULL
      WHERE service_principal_id IN (SELECT id FROM service_principals WHERE owner_person_id IS NULL)`);
    await db.query(`DELETE FROM service_principals WHERE owner_person_id IS NULL`);
    await db.query(`ALTER TABLE service_principals ALTER COLUMN owner_person_id SET NOT NULL`);
  }
}
