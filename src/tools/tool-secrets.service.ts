import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Connector } from '../../connectors/kit/contract.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { Problem } from '../platform/errors/problem.js';
import type { StoredSecrets } from './stored-settings.js';

/** Seals what a tool's owners type in. It is opened for a call only, and never shown again. */
@Injectable()
export class ToolSecrets {
  constructor(private readonly vault: SecretVault) {}

  /** @throws Problem `invalid-request` for a field that is missing or that the connector doesn't know */
  async seal(
    tx: EntityManager,
    connector: Connector,
    settings: Record<string, unknown>,
    given: Readonly<Record<string, string>>,
  ): Promise<StoredSecrets> {
    refuseUnknown(connector, given);
    requireAll(connector, given, 'This secret is missing.');
    return { ids: await this.sealEach(tx, given), savedFor: destinationOf(connector, settings) };
  }

  /**
   * Puts the given secrets in place of the old ones. Where the settings now lead elsewhere, all have to be given
   * again: who may change a host must not be able to send himself a password that he doesn't know.
   */
  async replace(
    tx: EntityManager,
    connector: Connector,
    settings: Record<string, unknown>,
    stored: StoredSecrets,
    given: Readonly<Record<string, string>>,
  ): Promise<StoredSecrets> {
    refuseUnknown(connector, given);
    const savedFor = destinationOf(connector, settings);
    if (savedFor !== stored.savedFor) {
      requireAll(connector, given, `Give this secret again: it was saved for ${stored.savedFor ?? 'another place'}.`);
    }
    const ids = { ...stored.ids, ...(await this.sealEach(tx, given)) };
    for (const name of Object.keys(given)) {
      const old = stored.ids[name];
      if (old) await this.vault.destroy(tx, old);
    }
    return { ids, savedFor };
  }

  /**
   * Reads what is stored for many tools at once. The answer opens one tool's secrets, by name, for one call; it throws
   * `SecretError`.
   */
  async load(
    tx: EntityManager,
    stored: readonly StoredSecrets[],
  ): Promise<(stored: StoredSecrets) => Record<string, string>> {
    const open = await this.vault.load(
      tx,
      stored.flatMap(({ ids }) => Object.values(ids)),
    );
    return ({ ids }) => Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, open(id)]));
  }

  private async sealEach(tx: EntityManager, given: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const ids: Record<string, string> = {};
    for (const [name, value] of Object.entries(given)) ids[name] = await this.vault.seal(tx, `tool.${name}`, value);
    return ids;
  }
}

function destinationOf(connector: Connector, settings: Record<string, unknown>): string | null {
  return connector.destination?.(settings) ?? null;
}

function refuseUnknown(connector: Connector, given: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(connector.secrets, name));
  if (unknown.length > 0) throw wrongSecrets(unknown, `“${connector.title}” has no such secret.`);
}

function requireAll(connector: Connector, given: Readonly<Record<string, string>>, detail: string): void {
  const missing = Object.keys(connector.secrets).filter((name) => !given[name]);
  if (missing.length > 0) throw wrongSecrets(missing, detail);
}

function wrongSecrets(names: readonly string[], detail: string): Problem {
  const fields = names.map((name) => ({ pointer: `/secrets/${name}`, detail }));
  return new Problem('invalid-request', `The secrets aren’t right: ${names.join(', ')}.`, fields);
}
