import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { newId } from '../platform/ids/new-id.js';
import type { AlertSeverity } from './alert.entity.js';

export interface NewAlert {
  /** At most one open alert has it. */
  dedupKey: string;
  kind: 'needs_human' | 'tool_paused' | 'step_overdue' | 'step_struggling' | 'hr_event_held' | 'policy_broken';
  severity: AlertSeverity;
  owner: string;
  message: string;
  stepId?: string;
  toolId?: string;
}

/** Tells people what needs them: a row until it is over, and one line on the console when it starts. */
@Injectable()
export class AlertsService {
  async raise(tx: EntityManager, alert: NewAlert): Promise<void> {
    const raised = await queryRows(
      tx,
      `INSERT INTO alerts (id, dedup_key, kind, severity, owner, message, step_id, tool_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (dedup_key) WHERE resolved_at IS NULL DO NOTHING RETURNING id`,
      [
        newId(),
        alert.dedupKey,
        alert.kind,
        alert.severity,
        alert.owner,
        alert.message,
        alert.stepId ?? null,
        alert.toolId ?? null,
      ],
    );
    // Written past the log's level on purpose: until there are channels, the console is how a person learns of it.
    if (raised.length > 0) process.stderr.write(`ALERT ${alert.severity} for ${alert.owner}: ${alert.message}\n`);
  }

  async resolve(tx: EntityManager, dedupKeys: readonly string[]): Promise<void> {
    await tx.query(`UPDATE alerts SET resolved_at = now() WHERE dedup_key = ANY($1) AND resolved_at IS NULL`, [
      dedupKeys,
    ]);
  }
}

/** The keys of everything that may be open about a step; all of it is over when the step has ended. */
export function stepAlertKeys(stepId: string): string[] {
  return [`needs_human:${stepId}`, `step_overdue:${stepId}`, `step_struggling:${stepId}`];
}
