import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { methodOf } from '../../connectors/kit/capabilities.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DirectCalls } from '../tools/direct-calls.service.js';
import { ToolsService } from '../tools/tools.service.js';
import { AccountsService } from './accounts.service.js';

/** Who may be in, by user name; null when there is no lockdown. */
export type Lockdown = { allowed: readonly string[] } | null;

/** Everybody out of a gateway but named people, in one act that is taken back in one act. */
@Injectable()
export class Lockdowns {
  constructor(
    private readonly db: DataSource,
    private readonly tools: ToolsService,
    private readonly accounts: AccountsService,
    private readonly calls: DirectCalls,
  ) {}

  /** Asked of the tool now. */
  async look(actor: Actor, toolId: string): Promise<Lockdown> {
    await requireWithin(this.db.manager, actor, 'whole tool', toolId);
    await this.tools.get(this.db.manager, toolId);
    return this.calls.ask(toolId, (session) => methodOf(session, 'getLockdown')());
  }

  /** Answers what the tool shows afterwards. @throws Problem `invalid-request` for a user name that isn't known: nothing is done then */
  async lockDown(actor: Actor, toolId: string, allowed: readonly string[], reason: string): Promise<Lockdown> {
    await requireWithin(this.db.manager, actor, 'whole tool', toolId);
    await this.tools.get(this.db.manager, toolId);
    const refs = await this.refsOf(toolId, allowed);
    const call = {
      toolId,
      action: 'tool.locked-down',
      subject: toolSubject(toolId),
      personal: { allowed: allowed.join(', '), reason },
    };
    const seen = await this.calls.actAndLook(
      actor,
      call,
      (session) => methodOf(session, 'lockDown')(refs),
      (session) => methodOf(session, 'getLockdown')(),
    );
    if (seen && seen.allowed.toSorted().join() === allowed.toSorted().join()) return seen;
    throw new Problem('tool-failed', 'The tool took the lockdown and shows another one. Look at it again.');
  }

  async lift(actor: Actor, toolId: string, reason: string): Promise<void> {
    await requireWithin(this.db.manager, actor, 'whole tool', toolId);
    await this.tools.get(this.db.manager, toolId);
    const call = { toolId, action: 'tool.lockdown-lifted', subject: toolSubject(toolId), personal: { reason } };
    const seen = await this.calls.actAndLook(
      actor,
      call,
      (session) => methodOf(session, 'liftLockdown')(),
      (session) => methodOf(session, 'getLockdown')(),
    );
    if (seen) throw new Problem('tool-failed', 'The tool took it and still shows a lockdown. Look at it again.');
  }

  private async refsOf(toolId: string, usernames: readonly string[]) {
    const refs: { externalId: string; username: string }[] = [];
    for (const username of new Set(usernames)) {
      const found = await this.accounts.namedAt(this.db.manager, toolId, username);
      if (!found?.externalId) {
        throw new Problem('invalid-request', `Nobody has an account “${username}” at this tool; nothing was done.`);
      }
      refs.push({ externalId: found.externalId, username });
    }
    return refs;
  }
}

function toolSubject(id: string) {
  return { kind: 'tool', id };
}
