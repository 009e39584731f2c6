import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { methodOf } from '../../connectors/kit/capabilities.js';
import type { IssuedCertificate } from '../../connectors/kit/contract.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { DirectCalls } from '../tools/direct-calls.service.js';
import type { Account } from './account.entity.js';
import { AccountsService } from './accounts.service.js';
import { CredentialsService } from './credentials.service.js';

/** Which devices of an account have credentials at the tool; null: it can't show them. */
export interface DeviceCredentials {
  devices: readonly string[] | null;
}

/** Credentials that belong to one device of an account: given out, and revoked without touching the other devices. */
@Injectable()
export class DeviceCredentialsService {
  constructor(
    private readonly db: DataSource,
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly calls: DirectCalls,
  ) {}

  /** A grant: refused while the account should not be active. @throws Problem `conflict`, `tool-failed` */
  async certify(actor: Actor, accountId: string, device: string, publicKey: string): Promise<IssuedCertificate> {
    await requireWithin(this.db.manager, actor, 'account', accountId);
    const account = await this.accounts.get(this.db.manager, accountId);
    if (account.desiredState !== 'active') {
      throw new Problem('conflict', 'This account is to be without access, so its devices get no certificate.');
    }
    let issued: IssuedCertificate | undefined;
    const { ref, call } = this.callOf(account, 'certificate.issued', device);
    await this.calls.actAndLook(
      actor,
      call,
      async (session) => {
        const result = await methodOf(session, 'issueCertificate')(ref, { publicKey, deviceExternalId: device });
        if (result.outcome === 'done' || result.outcome === 'already') issued = result.value;
      },
      (session) => session.getAccount(ref),
    );
    if (!issued) throw new Problem('tool-failed', 'The tool gave no certificate.');
    await inTransaction(this.db, (tx) => this.credentials.noteIssued(tx, accountId, device));
    return issued;
  }

  /** Ends one device's credentials and sessions; answers what the tool shows of the others. @throws Problem `tool-failed` */
  async revoke(actor: Actor, accountId: string, device: string): Promise<DeviceCredentials> {
    await requireWithin(this.db.manager, actor, 'account', accountId);
    const account = await this.accounts.get(this.db.manager, accountId);
    const { ref, call } = this.callOf(account, 'device-credentials.revoked', device);
    const seen = await this.calls.actAndLook(
      actor,
      call,
      (session) => methodOf(session, 'revokeDevice')(ref, device),
      (session) => session.getAccount(ref),
    );
    const devices = seen?.credentials.seen ? (seen.credentials.ids ?? null) : null;
    if (devices?.includes(device)) {
      throw new Problem('tool-failed', 'The tool took it and still shows credentials of this device. Try again.');
    }
    if (devices) await inTransaction(this.db, (tx) => this.credentials.revokeOfDevice(tx, accountId, device));
    return { devices };
  }

  private callOf({ id, toolId, externalId, username }: Account, action: string, device: string) {
    if (!externalId) throw new Problem('conflict', 'This account isn’t known at its tool yet.');
    const call = { toolId, action, subject: { kind: 'account', id }, facts: { device } };
    return { ref: { externalId, username }, call };
  }
}
