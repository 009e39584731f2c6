import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** What somebody signs who gets a device. The one that was put last is asked for; the others stay, for who signed them. */
@Entity('acknowledgement_texts')
@Check('ck_acknowledgement_texts_sha256', `sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex')`)
export class AcknowledgementText {
  /** Of the text in UTF-8, in lower-case hex. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_acknowledgement_texts' })
  sha256!: string;

  @Column('text')
  text!: string;

  @Column('text', { name: 'put_by' })
  putBy!: string;

  @Column('timestamptz', { name: 'put_at', default: () => 'now()' })
  putAt!: Date;
}
