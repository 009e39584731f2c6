import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The root of a full tile of the log's tree: what the level above is made of (`tiles.ts`). */
@Entity('audit_tile_roots')
export class AuditTileRoot {
  /** 1 and up: of 256^level leaves. */
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'pk_audit_tile_roots' })
  level!: number;

  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'pk_audit_tile_roots' })
  index!: number;

  @Column('bytea')
  hash!: Buffer;
}
