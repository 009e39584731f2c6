import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Session } from './session.entity.js';

/** The only writer of `sessions`. */
@Injectable()
export class SessionsService {
  async forAccount(tx: EntityManager, accountId: string): Promise<Session[]> {
    return tx.find(Session, { where: { accountId }, order: { firstSeenAt: 'DESC', id: 'DESC' } });
  }
}
