import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who holds which role, everywhere or within a department, location or tool. */
export class Roles1764000009000 implements MigrationInterface {
  readonly name = 'Roles1764000009000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE role_assignments (
        id uuid NOT NULL,
        principal text NOT NULL,
        role text NOT NULL,
        department text,
        location text,
        tool_id uuid,
        assigned_by text NOT NULL,
        assigned_at timestamptz NOT NULL DEFAULT now(),
        ended_by text,
        ended_at timestamptz,
        CONSTRAINT pk_role_assignments PRIMARY KEY (id),
        CONSTRAINT fk_role_assignments_tool FOREIGN KEY (tool_id) REFERENCES tools (id),
        CONSTRAINT ck_role_assignments_ended CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
        CONSTRAINT ck_role_assignments_owner CHECK
          (role <> 'owner' OR (department IS NULL AND location IS NULL AND tool_id IS NULL))
      )`);
    await db.query(`CREATE INDEX ix_role_assignments_principal ON role_assignments (principal) WHERE ended_at IS NULL`);
    await db.query(`
      CREATE UNIQUE INDEX ux_role_assignments_open ON role_assignments
        (principal, role, lower(coalesce(department, '')), lower(coalesce(location, '')), coalesce(tool_id::text, ''))
      WHERE ended_at IS NULL`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DROP TABLE role_assignments`);
  }
}
