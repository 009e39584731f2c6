import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import type { Actor } from './actor.js';
import { identityIdIn } from './principals.js';
import type { Somebody } from './somebody.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Row {
  isToken: boolean;
  boundTo: string | null;
  personId: string | null;
  address: string | null;
}

/** Looks up whom an actor stands for, also one who did something a while ago; the rules are in `somebody.ts`. */
@Injectable()
export class WhoIsWho {
  async of(
    tx: EntityManager,
    { kind = 'admin', id, name }: Pick<Actor, 'id' | 'name'> & Partial<Actor>,
  ): Promise<Somebody> {
    const rows = await queryRows<Row>(
      tx,
      `SELECT t.id IS NOT NULL AS "isToken", t.bound_to AS "boundTo", p.id AS "personId", p.corporate_email AS address
       FROM (SELECT $1::uuid AS token, $2::uuid AS identity) k
       LEFT JOIN api_tokens t ON t.id = k.token
       LEFT JOIN sign_in_identities i ON i.id = k.identity OR 'user:' || i.id = t.bound_to
       LEFT JOIN people p ON p.id IN (i.person_id, t.owner_person_id)`,
      [UUID.test(id) ? id : null, identityIdIn(id)],
    );
    const [{ isToken, boundTo }] = rows as [Row, ...Row[]];
    const people = rows.flatMap(({ personId, address }) =>
      personId === null || address === null ? [] : [{ id: personId, corporateEmail: address }],
    );
    return {
      ids: boundTo === null ? [id] : [id, boundTo],
      people,
      name,
      isPerson: isToken ? boundTo !== null || people.length > 0 : kind === 'admin',
    };
  }
}
