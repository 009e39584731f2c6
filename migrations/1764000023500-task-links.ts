import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A link by which somebody without a sign-in here does one step by hand. The version before runs on beside this one. */
export class TaskLinks1764000023500 implements MigrationInterface {
  readonly name = 'TaskLinks1764000023500';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE task_links (
        id uuid NOT NULL,
        step_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        made_for text NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        CONSTRAINT pk_task_links PRIMARY KEY (id),
        CONSTRAINT uq_task_links_token UNIQUE (token_hash),
        CONSTRAINT fk_task_links_step FOREIGN KEY (step_id) REFERENCES steps (id)
      )`);
    await db.query(`CREATE UNIQUE INDEX ux_task_links_good ON task_links (step_id) WHERE ended_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE task_links`);
  }
}
