import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { Problem } from '../../platform/errors/problem.js';
import { seesField } from '../../platform/roles/fields.js';
import { requireWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import type { Label } from './label.js';

interface Labelled {
  id: string;
  assetTag: string;
  serial: string;
  modelName: string;
}

/** As many as somebody sticks on in a day. */
const MOST = 1_000;

/** What stands on labels, and where the codes on them lead. */
@Injectable()
export class DeviceLabels {
  constructor(private readonly config: Config) {}

  /** @throws Problem `not-found` */
  async ofDevice(tx: EntityManager, actor: Actor, id: string): Promise<Label> {
    await requireWithin(tx, actor, 'device', id);
    const [device] = await labelled(tx, `d.id = $1`, [id]);
    if (!device) throw new Problem('not-found', 'There is no device with this id.');
    return this.labelOf(device, actor);
  }

  /** For a parcel: where it goes. @throws Problem `not-found`; `conflict` while nobody said where to */
  async ofReturn(tx: EntityManager, actor: Actor, returnId: string): Promise<Label> {
    await requireWithin(tx, actor, 'return', returnId);
    const [parcel] = await queryRows<{ assetTag: string; site: string | null; address: string | null }>(
      tx,
      `SELECT d.asset_tag AS "assetTag", s.name AS site, s.address FROM device_returns r
       JOIN devices d ON d.id = r.device_id LEFT JOIN sites s ON s.id = r.site_id WHERE r.id = $1`,
      [returnId],
    );
    if (!parcel) throw new Problem('not-found', 'There is no return with this id.');
    const { assetTag, site, address } = parcel;
    if (site === null || address === null) {
      throw new Problem('conflict', 'Nobody said where this is to go: give its site an address (PUT /v1/sites/:name).');
    }
    return { title: site, lines: [...address.split(/\r?\n/), assetTag], url: this.urlOf(assetTag) };
  }

  /**
   * Of those with these asset tags, or of all at a site, in order of their tags.
   * @throws Problem `not-found` for a tag or a site that isn't there, `too-large` for more than a thousand
   */
  async ofMany(tx: EntityManager, actor: Actor, which: { assetTags: string[] } | { site: string }): Promise<Label[]> {
    const devices =
      'site' in which
        ? await labelled(tx, `d.state <> 'disposed' AND d.site_id = (SELECT id FROM sites WHERE name = $1)`, [
            which.site,
          ])
        : await labelled(tx, `d.asset_tag = ANY ($1)`, [which.assetTags]);
    const missing =
      'site' in which ? [] : which.assetTags.filter((tag) => !devices.some((one) => one.assetTag === tag));
    if (missing.length > 0)
      throw new Problem('not-found', `There is no device with the asset tag ${missing.join(', ')}.`);
    if (devices.length === 0) throw new Problem('not-found', 'There is no device to make a label for.');
    if (devices.length > MOST) throw new Problem('too-large', `At most ${MOST} labels are made at a time. Name some.`);
    return devices.map((device) => this.labelOf(device, actor));
  }

  private labelOf({ assetTag, serial, modelName }: Labelled, actor: Actor): Label {
    const shown = seesField(actor, 'device.serial') ? [serial] : [];
    return { title: assetTag, lines: [modelName, ...shown], url: this.urlOf(assetTag) };
  }

  private urlOf(assetTag: string): string {
    return `${this.config.publicUrl}/d/${encodeURIComponent(assetTag)}`;
  }
}

async function labelled(tx: EntityManager, condition: string, parameters: readonly unknown[]): Promise<Labelled[]> {
  return queryRows<Labelled>(
    tx,
    `SELECT d.id, d.asset_tag AS "assetTag", d.serial, m.name AS "modelName"
     FROM devices d JOIN device_models m ON m.id = d.model_id WHERE ${condition} ORDER BY d.asset_tag LIMIT ${MOST + 1}`,
    parameters,
  );
}
