import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ToolSession } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ToolSessions } from './tool-sessions.service.js';

export interface DirectCall {
  toolId: string;
  /** In the audit log: `<action>-started` before a call that acts, `<action>` after it. */
  action: string;
  subject: { kind: string; id: string };
  facts?: Readonly<Record<string, unknown>>;
  /** As in an audit entry: names people, and can be erased. */
  personal?: Record<string, string>;
}

const CALL_MS = 15_000;

/** What a named person asks of a tool at this moment, and waits for: it is no step of a case, and is tried once. */
@Injectable()
export class DirectCalls {
  constructor(
    private readonly db: DataSource,
    private readonly sessions: ToolSessions,
    private readonly audit: AuditService,
  ) {}

  /**
   * Acts, and looks again on a connection of its own. The intent is written down before, the outcome after, a failure too.
   *
   * @throws Problem `tool-failed`, with what the tool said and what to do
   */
  async actAndLook<T>(
    actor: Actor,
    call: DirectCall,
    act: (session: ToolSession) => Promise<unknown>,
    look: (session: ToolSession) => Promise<T>,
  ): Promise<T> {
    const attemptId = newId();
    await this.write(actor, call, `${call.action}-started`, { ...call.facts, attemptId });
    try {
      await this.ask(call.toolId, act, attemptId);
      const seen = await this.ask(call.toolId, look, attemptId);
      await this.write(actor, call, call.action, { ...call.facts, attemptId, problem: null });
      return seen;
    } catch (error) {
      const problem = error instanceof Problem ? error.kind : 'internal';
      await this.write(actor, call, call.action, { ...call.facts, attemptId, problem });
      throw error;
    }
  }

  /** Looks at something that is worth a line: who saw it is written down before it is answered. @throws Problem `tool-failed` */
  async lookInto<T>(actor: Actor, call: DirectCall, look: (session: ToolSession) => Promise<T>): Promise<T> {
    const seen = await this.ask(call.toolId, look);
    await this.write(actor, call, call.action, { ...call.facts });
    return seen;
  }

  /** @throws Problem `tool-failed` */
  async ask<T>(toolId: string, work: (session: ToolSession) => Promise<T>, attemptId = newId()): Promise<T> {
    try {
      return await this.sessions.talk(toolId, CALL_MS, work, attemptId);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      throw new Problem('tool-failed', [error.message, error.remedy].filter(Boolean).join(' '));
    }
  }

  private async write(actor: Actor, { subject, personal }: DirectCall, action: string, facts: object): Promise<void> {
    await this.db.transaction((tx) => this.audit.record(tx, actor, action, { subject, facts: { ...facts }, personal }));
  }
}
