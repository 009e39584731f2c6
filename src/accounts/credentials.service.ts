import { Injectable } from '@nestjs/common';
import { In, IsNull, Not, type EntityManager } from 'typeorm';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { newId } from '../platform/ids/new-id.js';
import { Account } from './account.entity.js';
import { Credential } from './credential.entity.js';
import { CredentialHandover } from './credential-handover.entity.js';
import { newPassword } from './new-password.js';

export interface SealedPassword {
  credentialId: string;
  /** True: an earlier try made it, and this one goes on with it. */
  reused: boolean;
}

/** The only writer of `credentials` and, with `CredentialLinks`, of `credential_handovers`. */
@Injectable()
export class CredentialsService {
  constructor(private readonly vault: SecretVault) {}

  async forAccount(tx: EntityManager, accountId: string): Promise<Credential[]> {
    return tx.find(Credential, { where: { accountId }, order: { issuedAt: 'DESC', id: 'DESC' } });
  }

  /**
   * A password for the next create or reset, made and sealed before the call. A retry gets the same one: should the
   * lost call have been executed after all, the password that it wrote is still the one that we know.
   */
  async sealNewPassword(tx: EntityManager, accountId: string): Promise<SealedPassword> {
    // Two attempts at one account wait for each other here.
    await tx.findOneOrFail(Account, { where: { id: accountId }, lock: { mode: 'pessimistic_write' } });
    const pending = await tx.findOneBy(Credential, { accountId, kind: 'password', state: 'pending' });
    if (pending) return { credentialId: pending.id, reused: true };
    const credentialId = newId();
    const secretId = await this.vault.seal(tx, 'credential', newPassword());
    await tx.insert(Credential, {
      id: credentialId,
      accountId,
      kind: 'password',
      state: 'pending',
      issuedAt: () => 'now()',
    });
    await tx.insert(CredentialHandover, { id: newId(), credentialId, secretId });
    return { credentialId, reused: false };
  }

  /** Unsealed for one call; never kept, logged or handed on. Throws when it was handed over or revoked since. */
  async passwordOf(tx: EntityManager, credentialId: string): Promise<string> {
    const { secretId } = await tx.findOneByOrFail(CredentialHandover, { credentialId });
    if (!secretId) throw new Error(`The password of the credential ${credentialId} is gone: handed over, or revoked.`);
    return this.vault.open(tx, secretId);
  }

  /** A read-back showed it at the tool: it can be handed over now, and those before it are worthless. */
  async markCredentialLive(tx: EntityManager, credentialId: string): Promise<void> {
    const { accountId, kind } = await tx.findOneByOrFail(Credential, { id: credentialId });
    const others = await tx.findBy(Credential, { accountId, kind, id: Not(credentialId), state: Not('revoked') });
    await this.revoke(tx, others);
    await tx.update(Credential, { id: credentialId }, { state: 'live', observedAt: () => 'now()' });
    await tx.update(Account, { id: accountId }, { credentialsResetAt: () => 'now()' });
  }

  /**
   * Nobody opens a one-time link of these accounts any more: what waits to be handed over is destroyed at once, before
   * any tool has confirmed that the account is cut.
   */
  async stopHandovers(tx: EntityManager, accountIds: readonly string[]): Promise<void> {
    if (accountIds.length === 0) return;
    const live = await tx.findBy(Credential, { accountId: In([...accountIds]), state: 'live' });
    await this.destroySealed(
      tx,
      live.map(({ id }) => id),
    );
  }

  /** Something of one device's, which the tool gave out; kept where the device is one of ours by this name. */
  async noteIssued(tx: EntityManager, accountId: string, device: string): Promise<void> {
    await tx.query(
      `INSERT INTO credentials (id, account_id, device_id, kind, external_id, state, issued_at, observed_at)
       SELECT $1, $2, d.id, 'certificate', $3, 'live', now(), now() FROM devices d
       WHERE (d.asset_tag = $3 OR d.serial = $3) AND NOT EXISTS (
         SELECT FROM credentials c WHERE c.account_id = $2 AND c.device_id = d.id AND c.external_id = $3 AND c.state <> 'revoked')
       ORDER BY d.asset_tag = $3 DESC LIMIT 1`,
      [newId(), accountId, device],
    );
  }

  /**
   * What an account's tool knows a device by, for the accounts where it has credentials of its own: by its asset tag, by
   * its serial number, or by both, each with credentials of its own.
   */
  async namesOfDevice(tx: EntityManager, deviceId: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const standing = await queryRows<{ accountId: string; names: string[] }>(
      tx,
      `SELECT account_id AS "accountId", array_agg(DISTINCT external_id ORDER BY external_id) AS names FROM credentials
       WHERE device_id = $1 AND external_id IS NOT NULL AND state <> 'revoked' GROUP BY account_id`,
      [deviceId],
    );
    return new Map(standing.map(({ accountId, names }) => [accountId, names]));
  }

  /** A read-back showed that the tool has none of this device any more. */
  async revokeOfDevice(tx: EntityManager, accountId: string, device: string): Promise<void> {
    await this.revoke(tx, await tx.findBy(Credential, { accountId, externalId: device, state: Not('revoked') }));
  }

  /** Everything of the accounts that signs in, what is still on its way included. @returns how many there were */
  async revokeCredentials(tx: EntityManager, accountIds: readonly string[]): Promise<number> {
    if (accountIds.length === 0) return 0;
    const standing = await tx.find(Credential, {
      where: { accountId: In([...accountIds]), state: Not('revoked') },
      order: { id: 'ASC' },
    });
    await this.revoke(tx, standing);
    return standing.length;
  }

  private async revoke(tx: EntityManager, credentials: readonly Credential[]): Promise<void> {
    if (credentials.length === 0) return;
    const ids = credentials.map(({ id }) => id);
    await tx.update(Credential, { id: In(ids) }, { state: 'revoked', revokedAt: () => 'now()' });
    await this.destroySealed(tx, ids);
  }

  private async destroySealed(tx: EntityManager, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const sealed = await tx.findBy(CredentialHandover, { credentialId: In([...ids]), secretId: Not(IsNull()) });
    for (const { id, secretId } of sealed) {
      await tx.update(CredentialHandover, { id }, { secretId: null });
      if (secretId) await this.vault.destroy(tx, secretId);
    }
  }
}
