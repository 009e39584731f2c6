import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { capabilitiesOf } from '../../connectors/kit/capabilities.js';
import type { Capability, CheckReport } from '../../connectors/kit/contract.js';
import { callWithin } from '../../connectors/kit/deadline.js';
import { ToolError, type ToolErrorKind } from '../../connectors/kit/errors.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { newId } from '../platform/ids/new-id.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Connectors } from './connectors.js';
import { ToolSessions } from './tool-sessions.service.js';
import { ToolsService } from './tools.service.js';

export interface ToolCheck {
  /** What the tool answered; null: it didn't, and `problem` tells why. */
  report: CheckReport | null;
  problem: { kind: ToolErrorKind; message: string; permission: string | null; remedy: string | null } | null;
  capabilities: readonly { capability: Capability; permission: string }[];
}

const CHECK_MS = 15_000;

/** Asks a tool, live, who it thinks we are and what we may do. */
@Injectable()
export class CheckTool {
  constructor(
    private readonly db: DataSource,
    private readonly tools: ToolsService,
    private readonly sessions: ToolSessions,
    private readonly connectors: Connectors,
    private readonly audit: AuditService,
  ) {}

  /** A tool that doesn't answer is an answer too: only an unknown id throws. */
  async check(actor: Actor, toolId: string): Promise<ToolCheck> {
    const attemptId = newId();
    const subject = { kind: 'tool', id: toolId };
    // The intent before the call, so that whatever the tool's own log shows is found in ours.
    const tool = await this.db.transaction(async (tx) => {
      await requireWithin(tx, actor, 'whole tool', toolId);
      const checked = await this.tools.get(tx, toolId);
      await this.audit.record(tx, actor, 'tool.check-started', { subject, facts: { attemptId } });
      return checked;
    });
    const { report, problem } = await this.ask(toolId, attemptId);
    await this.db.transaction(async (tx) => {
      if (report) await this.tools.setChecked(tx, toolId, report.principal);
      await this.audit.record(tx, actor, 'tool.checked', {
        subject,
        facts: {
          attemptId,
          problem: problem?.kind ?? null,
          missing: report?.missing.map((one) => one.capability) ?? [],
        },
      });
    });
    const connector = this.connectors.find(tool.connector);
    return { report, problem, capabilities: connector ? capabilitiesOf(connector) : [] };
  }

  private async ask(toolId: string, attemptId: string): Promise<Pick<ToolCheck, 'report' | 'problem'>> {
    try {
      const { session } = await this.sessions.open(toolId, callWithin(CHECK_MS, attemptId));
      try {
        return { report: await session.check(), problem: null };
      } finally {
        await session.close();
      }
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      const { kind, message, permission = null, remedy = null } = error;
      return { report: null, problem: { kind, message, permission, remedy } };
    }
  }
}
