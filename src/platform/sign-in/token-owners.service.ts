import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';

/** Who answers for a token: a person, with whom it ends, or a service, which is handed on when its owner leaves. */
export type TokenOwner = {
  /** In words: the address of the person, or the name of the service. */
  owner: string;
} & (
  { ownerPersonId: string; servicePrincipalId?: undefined } | { servicePrincipalId: string; ownerPersonId?: undefined }
);

/** Reads who may own a token: people and services are other floors', and a token knows no more of them than this. */
@Injectable()
export class TokenOwners {
  /**
   * The owner, held until the commit: a leave of theirs comes before this, or sees the token.
   *
   * @throws Problem `invalid-request` for somebody who isn't there or has left
   */
  async find(
    tx: EntityManager,
    {
      ownerPersonId,
      servicePrincipalId,
    }: { ownerPersonId?: string | undefined; servicePrincipalId?: string | undefined },
  ): Promise<TokenOwner> {
    const [found] = await queryRows<{ owner: string }>(
      tx,
      ownerPersonId === undefined
        ? `SELECT name AS owner FROM service_principals WHERE id = $1 FOR SHARE`
        : `SELECT corporate_email AS owner FROM people WHERE id = $1 AND status <> 'left' FOR SHARE`,
      [ownerPersonId ?? servicePrincipalId],
    );
    if (found && ownerPersonId !== undefined) return { ...found, ownerPersonId };
    if (found && servicePrincipalId !== undefined) return { ...found, servicePrincipalId };
    const [pointer, detail] =
      ownerPersonId === undefined
        ? ['/servicePrincipalId', 'There is no service with this id.']
        : ['/ownerPersonId', 'There is no person with this id, or they have left.'];
    throw new Problem('invalid-request', detail, [{ pointer, detail }]);
  }

  /** By what somebody types: a person's corporate address, or a service's name. Null: neither. */
  async named(tx: EntityManager, name: string): Promise<TokenOwner | null> {
    const [person] = await queryRows<{ ownerPersonId: string; owner: string }>(
      tx,
      `SELECT id AS "ownerPersonId", corporate_email AS owner FROM people WHERE corporate_email = lower($1) AND status <> 'left' FOR SHARE`,
      [name],
    );
    if (person) return person;
    const [service] = await queryRows<{ servicePrincipalId: string; owner: string }>(
      tx,
      `SELECT id AS "servicePrincipalId", name AS owner FROM service_principals WHERE name = $1`,
      [name],
    );
    return service ?? null;
  }
}
