import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';
import { AuditEntry } from './audit-entry.entity.js';

/** What an entry says about a person, kept apart: it can be erased without breaking the log, and is never edited. */
@Entity('audit_personal_fields')
@ForeignKey(() => AuditEntry, ['entryId'], ['id'], { name: 'fk_audit_personal_fields_entry' })
export class AuditPersonalField {
  @PrimaryColumn('uuid', { name: 'entry_id', primaryKeyConstraintName: 'pk_audit_personal_fields' })
  entryId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_audit_personal_fields' })
  name!: string;

  /** 32 random bytes: without them, a short value could be guessed from its commitment. */
  @Column('bytea')
  salt!: Buffer;

  @Column('text')
  value!: string;
}
