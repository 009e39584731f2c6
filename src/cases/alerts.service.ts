import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { oneLine } from '../platform/logging/one-line.js';
import { newId } from '../platform/ids/new-id.js';
import type { AlertSeverity } from './alert.entity.js';

export type AlertKind =
  | 'needs_human'
  | 'tool_paused'
  | 'step_overdue'
  | 'step_struggling'
  | 'hr_event_held'
  | 'brake_held'
  | 'brake_overdue'
  | 'employment_stuck'
  | 'sign_in_link'
  | 'security_key_added'
  | 'security_key_copied'
  | 'security_key_removed'
  | 'brake_limit_raised'
  | 'recovery_key_read'
  | 'policy_broken'
  | 'audit_log_broken'
  | 'audit_log_unpublished'
  | 'witness_away'
  | 'witness_untrusted'
  | 'keys_away'
  | 'emergency_lane_late'
  | 'lane_without_worker'
  | 'worker_died'
  | 'channel_failed'
  | 'service_ownerless'
  | 'loss_reported'
  | 'loss_task_overdue'
  | 'lost_device_seen'
  | 'wipe_under_hold'
  | 'device_command_stuck'
  | 'token_unowned'
  | 'exception_overdue'
  | 'device_unacknowledged'
  | 'device_return_overdue'
  | 'spares_short'
  | 'device_duplicate'
  | 'device_manager_away'
  | 'image_withdrawn';

/** What was done and can’t be undone: nobody can mend it, so it is told and ends by itself. */
const NEWS: readonly AlertKind[] = [
  'sign_in_link',
  'security_key_added',
  'security_key_removed',
  'brake_limit_raised',
  'recovery_key_read',
];

/** Of a service principal that nobody answers for. */
export function ownerlessKey(servicePrincipalId: string): string {
  return `service_ownerless:${servicePrincipalId}`;
}

export interface NewAlert {
  /** At most one open alert has it. */
  dedupKey: string;
  kind: AlertKind;
  severity: AlertSeverity;
  owner: string;
  message: string;
  stepId?: string;
  toolId?: string;
}

/**
 * Tells people what needs them: a row until it is over, and one line on the console when it starts. A trigger of the
 * database writes what is to be sent in the same transaction (migration `alert-deliveries`); `src/alerting` sends it.
 */
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
    // Written past the log's level on purpose: where no channel is set up, the console is how a person learns of it.
    if (raised.length === 0) return;
    process.stderr.write(`ALERT ${alert.severity} for ${alert.owner}: ${oneLine(alert.message)}\n`);
  }

  /**
   * Makes the open alerts of a kind exactly these: what is still so stays told, the rest is over. For troubles that are
   * found by looking.
   * @param againAfter days after which what is still so is told anew
   */
  async keepTo(tx: EntityManager, kind: AlertKind, alerts: readonly NewAlert[], againAfter?: number): Promise<void> {
    await tx.query(
      `UPDATE alerts SET resolved_at = now() WHERE kind = $1 AND resolved_at IS NULL
         AND (dedup_key <> ALL ($2) OR raised_at < now() - make_interval(days => $3::int))`,
      [kind, alerts.map(({ dedupKey }) => dedupKey), againAfter ?? null],
    );
    for (const alert of alerts) await this.raise(tx, alert);
  }

  /** Of what is over, only this is kept: whom it named is nobody's business any more. */
  async forget(tx: EntityManager, dedupKeys: readonly string[], message: string): Promise<void> {
    await tx.query(`UPDATE alerts SET message = $2 WHERE dedup_key = ANY ($1) AND resolved_at IS NOT NULL`, [
      dedupKeys,
      message,
    ]);
  }

  /** More is known of what was told already: nobody is told again, and whoever looks sees it. */
  async reword(tx: EntityManager, dedupKey: string, message: string): Promise<void> {
    await tx.query(`UPDATE alerts SET message = $2 WHERE dedup_key = $1 AND resolved_at IS NULL AND message <> $2`, [
      dedupKey,
      message,
    ]);
  }

  async resolve(tx: EntityManager, dedupKeys: readonly string[]): Promise<void> {
    await tx.query(`UPDATE alerts SET resolved_at = now() WHERE dedup_key = ANY($1) AND resolved_at IS NULL`, [
      dedupKeys,
    ]);
  }

  /** After an hour it was told to whom it had to be told. */
  async endOldNews(tx: EntityManager): Promise<void> {
    await tx.query(
      `UPDATE alerts SET resolved_at = now()
       WHERE kind = ANY($1) AND resolved_at IS NULL AND raised_at < now() - interval '1 hour'`,
      [NEWS],
    );
  }

  /** Whatever is open about these steps is over, and the warning about a tool when it was one of them that led to it. */
  async resolveSteps(tx: EntityManager, steps: readonly { stepId: string; toolId: string }[]): Promise<void> {
    await tx.query(
      prepared(`UPDATE alerts a SET resolved_at = now() FROM unnest($2::text[], $3::uuid[]) AS s (key, step)
       WHERE a.resolved_at IS NULL AND (a.dedup_key = ANY($1) OR (a.dedup_key = s.key AND a.step_id = s.step))`),
      [
        steps.flatMap(({ stepId }) => stepAlertKeys(stepId)),
        steps.map(({ toolId }) => struggleKey(toolId)),
        steps.map(({ stepId }) => stepId),
      ],
    );
  }
}

/** The keys of what may be open about one step. */
function stepAlertKeys(stepId: string): string[] {
  return [`needs_human:${stepId}`, `step_overdue:${stepId}`];
}

/** One warning a tool, however many of its steps fail at once: a tool that is down is told of once. */
export function struggleKey(toolId: string): string {
  return `tool_struggling:${toolId}`;
}
