import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { CallBack } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { Problem } from '../platform/errors/problem.js';
import { ToolSessions } from '../tools/tool-sessions.service.js';

/** Tools that tell by themselves when something they were working on is over. */
@Injectable()
export class CallBacks {
  constructor(
    private readonly db: DataSource,
    private readonly sessions: ToolSessions,
  ) {}

  /**
   * Makes the steps that wait for this handle due at once; their read-back decides. A call-back that comes too early, twice
   * or not at all changes nothing: the engine looks by itself.
   *
   * @throws Problem `invalid-signature` (also for a tool that there isn't), `invalid-request`
   */
  async receive(toolKey: string, message: CallBack): Promise<void> {
    const news = await this.read(toolKey, message);
    await this.db.query(
      `UPDATE steps SET due_at = now()
       WHERE tool_id = $1 AND state = 'confirming' AND lease_owner IS NULL AND input->>'inProgress' = $2 AND due_at > now()`,
      [news.toolId, news.handle],
    );
  }

  private async read(toolKey: string, message: CallBack): Promise<{ toolId: string; handle: string }> {
    try {
      const news = await this.sessions.readCallBack(toolKey, message);
      if (news) return news;
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (error.kind !== 'auth-broken') throw new Problem('invalid-request', error.message);
    }
    throw new Problem('invalid-signature', 'No tool that calls back has this key and signs like this.');
  }
}
