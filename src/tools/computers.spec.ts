import { afterAll, beforeAll, expect, it } from 'vitest';
import { ToolError } from '../../connectors/kit/errors.js';
import type { Connector, ToolSession } from '../../connectors/kit/contract.js';
import { aFakeConnector } from '../../test/factories/connectors.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { aTool } from '../../test/factories/tools.js';

/** What the directory is like; the real one is tried in connectors/active-directory. */
const directory: Partial<ToolSession> = {
  listComputers: async (next) => ({
    computers: next
      ? []
      : [
          {
            externalId: 'c-1',
            name: 'LAPTOP-1',
            operatingSystem: 'Windows 11 Pro',
            isEnabled: true,
            lastSeenAt: new Date(0),
          },
        ],
    next: next ? null : 'page 2',
    complete: true,
  }),
  listRecoveryKeys: async (computer) => {
    if (computer !== 'c-1') throw new ToolError('not-found', 'The computer is not there (any more).');
    return [{ externalId: 'k-1', keyId: 'K1', volumeId: null, storedAt: null }];
  },
};
const fake = aFakeConnector();
const connector: Connector<{ url: string; pageSize: number }> = {
  ...fake,
  open: async (connection) => Object.assign(await fake.open(connection), directory),
};

let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;
let at: string;
beforeAll(async () => {
  records = await startRecordsApp([connector]);
  api = await records.caller('devices:read', 'devices:read-recovery-keys');
  const settings = { usernameFrom: 'local-part', connector: { url: 'https://directory.example' } } as const;
  at = `/v1/tools/${(await aTool(records.db.manager, { settings })).id}/computers`;
});
afterAll(() => records?.close());

it('shows a directory’s computers page by page, as it knows them now', async () => {
  const first = await api.get(at).expect(200);
  expect(first.body).toEqual({
    items: [
      {
        id: 'c-1',
        name: 'LAPTOP-1',
        operatingSystem: 'Windows 11 Pro',
        isEnabled: true,
        lastSeenAt: '1970-01-01T00:00:00.000Z',
      },
    ],
    next: 'page 2',
    complete: true,
  });
  expect((await api.get(at).query({ cursor: 'page 2' }).expect(200)).body).toMatchObject({ items: [], next: null });
});

it('shows which recovery keys are kept, and says what the directory said when it can’t', async () => {
  expect((await api.get(`${at}/c-1/recovery-keys`).expect(200)).body).toEqual({
    items: [{ id: 'k-1', keyId: 'K1', volumeId: null, storedAt: null }],
  });
  // Nothing of a key is shown, and still: who looks which computers could be opened is worth a line.
  const looks = await records.db.query<{ facts: unknown; context: unknown }[]>(
    `SELECT facts, context FROM audit_entries WHERE action = 'computer.recovery-keys-listed'`,
  );
  expect(looks).toMatchObject([{ facts: { computer: 'c-1' }, context: { via: 'rest' } }]);
  const gone = await api.get(`${at}/c-2/recovery-keys`).expect(502);
  expect(gone.body).toMatchObject({ detail: 'The computer is not there (any more).' });
});

it('is for those only who may read devices', async () => {
  await (await records.caller('tools:read')).get(at).expect(403);
});

it('of a tool that is not there are not there: nothing failed at any tool', async () => {
  const nowhere = '/v1/tools/01890000-0000-7000-8000-000000000000/computers';
  for (const path of [nowhere, `${nowhere}/c-1/recovery-keys`]) {
    expect((await api.get(path).expect(404)).body.detail).toBe('There is no tool with this id.');
  }
});

it('are shown without their recovery keys to who may not know of them', async () => {
  const other = await records.caller('devices:read');
  await other.get(at).expect(200);
  await other.get(`${at}/c-1/recovery-keys`).expect(403);
});
