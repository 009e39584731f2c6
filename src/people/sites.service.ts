import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Site } from './site.entity.js';
import { isKnownZone } from './start-instant.js';

/** The only writer of `sites`. */
@Injectable()
export class SitesService {
  constructor(private readonly audit: AuditService) {}

  /**
   * Makes the site, or gives the one of this name another zone or address. Employments keep the instants that they have.
   * @param newAddress undefined: as it was
   */
  async put(tx: EntityManager, actor: Actor, name: string, zone: string, newAddress?: string | null): Promise<Site> {
    if (!isKnownZone(zone))
      throw new Problem('invalid-request', `“${zone}” is no time zone; write one like Europe/Berlin.`);
    const before = await tx.findOneBy(Site, { name });
    const address = newAddress === undefined ? (before?.address ?? null) : newAddress;
    if (before?.zone === zone && before.address === address) return before;
    await tx.upsert(Site, { id: before?.id ?? newId(), name, zone, address }, ['name']);
    const site = await tx.findOneByOrFail(Site, { name });
    await this.audit.record(tx, actor, 'site.put', {
      subject: { kind: 'site', id: site.id },
      facts: { name, zone, address },
    });
    return site;
  }

  async list(tx: EntityManager): Promise<Site[]> {
    return tx.find(Site, { order: { name: 'ASC' } });
  }

  /** The zone of a location as HR writes it; null: no such site, and whoever asks needs the zone from elsewhere. */
  async zoneOf(tx: EntityManager, location: string): Promise<string | null> {
    return (await tx.findOneBy(Site, { name: location }))?.zone ?? null;
  }
}
