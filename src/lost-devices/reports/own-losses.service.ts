import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ReportCodes, type CodeHolder } from '../../devices/report-codes/report-codes.service.js';
import { queryRows } from '../../platform/database/query-rows.js';
import type { Actor, Origin } from '../../platform/sign-in/actor.js';
import { LostDevicesService } from '../lost-devices.service.js';
import { Runbooks } from '../runbook/runbooks.service.js';
import type { OwnThings, Reportable } from './lost-pages.js';

/** Somebody reports the loss of their own laptop, with the code that they were given beside it. */
@Injectable()
export class OwnLosses {
  constructor(
    private readonly db: DataSource,
    private readonly codes: ReportCodes,
    private readonly lostDevices: LostDevicesService,
    private readonly runbooks: Runbooks,
  ) {}

  /** What the code opens: whose it is, which laptops they have, and where they have access. Null: no good code. */
  async look(code: string): Promise<OwnThings | null> {
    const holder = await this.codes.holderOf(this.db.manager, code);
    if (!holder) return null;
    const devices = await queryRows<Reportable>(
      this.db.manager,
      `SELECT d.id AS "deviceId", d.asset_tag AS "assetTag", m.name AS "modelName"
       FROM devices d JOIN device_models m ON m.id = d.model_id
       WHERE d.holder_id = $1 AND d.state IN ('assigned', 'lost', 'stolen') ORDER BY d.asset_tag`,
      [holder.personId],
    );
    const tools = await queryRows<{ name: string }>(
      this.db.manager,
      `SELECT DISTINCT t.name FROM accounts a JOIN tools t ON t.id = a.tool_id
       WHERE a.person_id = $1 AND a.observed_state = 'active' ORDER BY t.name LIMIT 50`,
      [holder.personId],
    );
    return { holder, devices, tools: tools.map(({ name }) => name) };
  }

  /**
   * In the scope that the runbook proposes; the code is used up by it. After a crash in between the code still opens,
   * and the second report finds the first.
   */
  async report(holder: CodeHolder, deviceId: string, words: string | undefined, from: Origin): Promise<void> {
    const actor: Actor = {
      kind: 'system',
      id: `report-code:${holder.codeId}`,
      name: 'Holder of a report code',
      personId: holder.personId,
      scopes: ['lost-devices:report'],
      from,
    };
    const scope = (await this.runbooks.active(this.db.manager))?.document.scope.propose;
    const note = `Reported by its holder, with their report code.${words === undefined ? '' : ` ${words}`}`;
    await this.lostDevices.report({ deviceId, holderId: holder.personId, ...(scope && { scope }) }, note, actor);
    await this.codes.use(this.db.manager, holder.codeId);
  }
}
