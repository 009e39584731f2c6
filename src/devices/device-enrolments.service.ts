import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../platform/ids/new-id.js';

/** The only writer of `device_enrolments`: under which id a device manager has each device. */
@Injectable()
export class DeviceEnrolments {
  async seen(
    tx: EntityManager,
    toolId: string,
    computers: readonly { deviceId: string; externalId: string }[],
  ): Promise<void> {
    const rows = computers.map((computer) => ({ ...computer, id: newId() }));
    await tx.query(
      `INSERT INTO device_enrolments (id, device_id, tool_id, external_id, state, observed_at)
       SELECT r.id, r."deviceId", $1, r."externalId", 'enrolled', now()
       FROM jsonb_to_recordset($2::jsonb) AS r (id uuid, "deviceId" uuid, "externalId" text)
       ON CONFLICT (tool_id, external_id)
       DO UPDATE SET device_id = EXCLUDED.device_id, state = 'enrolled', observed_at = EXCLUDED.observed_at`,
      [toolId, JSON.stringify(rows)],
    );
  }

  /** After a round that saw everything there is: what it didn't see is gone. @param since when that round began */
  async lookedThrough(tx: EntityManager, toolId: string, since: Date): Promise<void> {
    await tx.query(
      `UPDATE device_enrolments SET state = 'gone' WHERE tool_id = $1 AND state = 'enrolled' AND observed_at < $2`,
      [toolId, since],
    );
  }
}
