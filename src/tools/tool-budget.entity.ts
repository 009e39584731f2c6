import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** `reserved` is for the emergency lane alone. */
export const BUDGET_SHARES = ['shared', 'reserved'] as const;
export type BudgetShare = (typeof BUDGET_SHARES)[number];

/** What a tool can bear, as a token bucket per share. Two rows, locked apart: urgent calls never wait for the other's lock. */
@Entity('tool_budgets')
@Check('ck_tool_budgets_share', `share IN ('shared', 'reserved')`)
@Check('ck_tool_budgets_positive', `concurrency > 0 AND calls_per_second > 0 AND burst >= 1`)
export class ToolBudget {
  @PrimaryColumn('uuid', { name: 'tool_id', primaryKeyConstraintName: 'pk_tool_budgets' })
  @ForeignKey('Tool', { name: 'fk_tool_budgets_tool' })
  toolId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_tool_budgets' })
  share!: BudgetShare;

  /** Calls at the same time. */
  @Column('integer')
  concurrency!: number;

  @Column('double precision', { name: 'calls_per_second' })
  callsPerSecond!: number;

  /** The bucket's size, in calls. */
  @Column('double precision')
  burst!: number;

  /** Calls that may be made now, as of `refilled_at`. */
  @Column('double precision')
  allowance!: number;

  @Column('timestamptz', { name: 'refilled_at', default: () => 'now()' })
  refilledAt!: Date;
}
