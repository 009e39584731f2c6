import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { done } from '../../connectors/kit/act-results.js';
import type { AccountRef, CertificateRequest, Connector, ToolSession } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { anAccount, anObservedAccount } from '../../test/factories/accounts.js';
import { aFakeConnector } from '../../test/factories/connectors.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { aTool } from '../../test/factories/tools.js';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';

/** What the gateway is like; the real one is tried in connectors/ssh-gateway. */
let gateway: { allowed: readonly string[] | null; devices: string[]; refuses: boolean; forgets: boolean };

const fake = aFakeConnector();
const connector: Connector<{ url: string; pageSize: number }> = {
  ...fake,
  open: async (connection) => Object.assign(await fake.open(connection), gatewayMethods()),
};

function gatewayMethods(): Partial<ToolSession> {
  const refuse = () => {
    if (gateway.refuses) throw new ToolError('forbidden', 'The gateway refused.', { remedy: 'Run it as root.' });
  };
  return {
    getLockdown: async () => (gateway.allowed ? { allowed: gateway.allowed } : null),
    async lockDown(refs: readonly AccountRef[]) {
      refuse();
      if (!gateway.forgets) gateway.allowed = refs.map(({ username }) => username);
      return done(null);
    },
    async liftLockdown() {
      gateway.allowed = null;
      return done(null);
    },
    async issueCertificate(_ref: AccountRef, { deviceExternalId }: CertificateRequest) {
      refuse();
      gateway.devices.push(deviceExternalId);
      return done({ certificate: 'ssh-ed25519-cert-v01@openssh.com AAAA', serial: '7', validUntil: new Date(0) });
    },
    async revokeDevice(_ref: AccountRef, device: string) {
      if (!gateway.forgets) gateway.devices = gateway.devices.filter((one) => one !== device);
      return done(null);
    },
    getAccount: async () =>
      anObservedAccount({ credentials: { seen: true, live: gateway.devices.length, ids: gateway.devices } }),
  };
}

let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;
beforeAll(async () => {
  records = await startRecordsApp([connector]);
  api = await records.caller('tools:read', 'tools:lock-down', 'accounts:hand-over', 'credentials:reset');
});
beforeEach(() => {
  gateway = { allowed: null, devices: [], refuses: false, forgets: false };
});
afterAll(() => records?.close());

async function aGatewayTool(): Promise<string> {
  const settings = { usernameFrom: 'local-part' as const, connector: { url: 'https://gateway.example', pageSize: 1 } };
  return (await aTool(records.db.manager, { settings })).id;
}

const actionsOn = async (subjectId: string) =>
  (await records.db.manager.find(AuditEntry, { where: { subjectId }, order: { at: 'ASC', id: 'ASC' } })).map(
    ({ action }) => action,
  );

describe('/v1/tools/:id/lockdown', () => {
  it('puts everybody out but the named people, shows what the tool shows, and is lifted again', async () => {
    const toolId = await aGatewayTool();
    await anAccount(records.db.manager, { toolId, username: 'ada' });
    const at = `/v1/tools/${toolId}/lockdown`;
    expect((await api.get(at).expect(200)).body).toEqual({ allowed: null });

    const body = { allowed: ['ada'], reason: 'sshd logged a stranger' };
    expect((await api.put(at).send(body).expect(200)).body).toEqual({ allowed: ['ada'] });
    expect((await api.get(at).expect(200)).body).toEqual({ allowed: ['ada'] });
    await api.delete(at).expect(204);

    expect((await api.get(at).expect(200)).body).toEqual({ allowed: null });
    expect(await actionsOn(toolId)).toEqual([
      'tool.locked-down-started',
      'tool.locked-down',
      'tool.lockdown-lifted-started',
      'tool.lockdown-lifted',
    ]);
  });

  it('does nothing when one of the people isn’t known at the tool', async () => {
    const toolId = await aGatewayTool();
    await anAccount(records.db.manager, { toolId, username: 'ada' });
    const body = { allowed: ['ada', 'stranger'], reason: 'x' };
    const refused = await api.put(`/v1/tools/${toolId}/lockdown`).send(body).expect(400);
    expect(refused.body.detail).toContain('“stranger”');
    expect(gateway.allowed).toBeNull();
    expect(await actionsOn(toolId)).toEqual([]);
  });

  it('says what the tool said and what to do, and never that it is done when the tool doesn’t show it', async () => {
    const toolId = await aGatewayTool();
    const at = `/v1/tools/${toolId}/lockdown`;
    gateway.refuses = true;
    const refused = await api.put(at).send({ allowed: [], reason: 'x' }).expect(502);
    expect(refused.body.detail).toBe('The gateway refused. Run it as root.');
    gateway = { ...gateway, refuses: false, forgets: true };
    await api.put(at).send({ allowed: [], reason: 'x' }).expect(502);
    expect(await actionsOn(toolId)).toHaveLength(4);
  });

  it('belongs to those who may lock down', async () => {
    const toolId = await aGatewayTool();
    const reader = await records.caller('tools:read', 'tools:write');
    await reader.put(`/v1/tools/${toolId}/lockdown`).send({ allowed: [], reason: 'x' }).expect(403);
    await reader.delete(`/v1/tools/${toolId}/lockdown`).expect(403);
  });
});

describe('/v1/accounts/:id, credentials of one device', () => {
  it('certifies two devices, and revokes one of them', async () => {
    const { id } = await anAccount(records.db.manager, { toolId: await aGatewayTool() });
    for (const device of ['QM-1', 'QM-2']) {
      const made = await api.post(`/v1/accounts/${id}/certificates`).send({ device, publicKey: 'ssh-ed25519 AAAA' });
      expect(made.body).toEqual({
        certificate: expect.stringContaining('cert-v01'),
        serial: '7',
        validUntil: '1970-01-01T00:00:00.000Z',
      });
    }
    const revoked = await api.post(`/v1/accounts/${id}/revoke-device`).send({ device: 'QM-1' }).expect(200);
    expect(revoked.body).toEqual({ devices: ['QM-2'] });
    gateway.forgets = true;
    await api.post(`/v1/accounts/${id}/revoke-device`).send({ device: 'QM-2' }).expect(502);
  });

  it('gives no certificate to somebody who is to be without access', async () => {
    const toolId = await aGatewayTool();
    const { id } = await anAccount(records.db.manager, { toolId, desiredState: 'suspended' });
    const body = { device: 'QM-1', publicKey: 'ssh-ed25519 AAAA' };
    await api.post(`/v1/accounts/${id}/certificates`).send(body).expect(409);
    expect(gateway.devices).toEqual([]);
  });
});
