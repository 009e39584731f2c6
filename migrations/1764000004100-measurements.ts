import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each process counted so far, so that one place can show the sum and a restart forgets nothing. */
export class Measurements1764000004100 implements MigrationInterface {
  readonly name = 'Measurements1764000004100';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE measurements (
        process_id uuid NOT NULL,
        process text NOT NULL,
        counted jsonb NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_measurements PRIMARY KEY (process_id)
      )`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE measurements`);
  }
}
