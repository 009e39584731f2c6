import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../../platform/database/query-rows.js';
import { Connectors } from '../../tools/connectors.js';
import type { CommandKind } from '../device-command.entity.js';
import { chooseGiver, type Giver, type ManagedComputer } from './choose-giver.js';

/** Who would give an order for a machine now: the service, at the device manager that has it, or somebody by hand. */
@Injectable()
export class CommandGivers {
  constructor(private readonly connectors: Connectors) {}

  async of(tx: EntityManager, deviceId: string): Promise<Record<CommandKind, Giver>> {
    const known = await queryRows<Omit<ManagedComputer, 'capabilities'> & { connector: string }>(
      tx,
      `SELECT t.id AS "toolId", t.name AS tool, t.connector, e.external_id AS "computerId", e.observed_at AS "seenAt"
       FROM device_enrolments e JOIN tools t ON t.id = e.tool_id
       WHERE e.device_id = $1 AND e.state = 'enrolled' AND t.state <> 'retired' ORDER BY e.observed_at DESC`,
      [deviceId],
    );
    const computers = known.map(({ connector, ...computer }) => ({
      ...computer,
      capabilities: this.connectors.find(connector)?.capabilities ?? {},
    }));
    return {
      lock: chooseGiver('lock', computers),
      unlock: chooseGiver('unlock', computers),
      wipe: chooseGiver('wipe', computers),
    };
  }
}
