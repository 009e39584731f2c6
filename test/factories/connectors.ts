import { z } from 'zod';
import type { CheckReport, Connector, ToolConnection, ToolSession } from '../../connectors/kit/contract.js';

export interface FakeConnector extends Connector<{ url: string; pageSize: number }> {
  /** Every connection that was opened, and whether it was closed again. */
  readonly opened: { connection: ToolConnection<unknown>; closed: boolean }[];
}

/** A connector that can do nothing but `check`, for tests of what stands around connectors; `check` may throw. */
export function aFakeConnector(check: () => Promise<CheckReport> = async () => AS_ADMIN): FakeConnector {
  const opened: FakeConnector['opened'] = [];
  return {
    opened,
    id: 'fake',
    title: 'Fake tool',
    kind: 'api',
    settings: z.object({ url: z.url(), pageSize: z.int().min(1).default(100) }),
    secrets: { token: 'A token' },
    capabilities: { check: { permission: 'read' }, findAccounts: { permission: 'read users' } },
    destination: ({ url }) => new URL(url).origin,
    open: async (connection) => {
      const entry = { connection, closed: false };
      opened.push(entry);
      const session: ToolSession = {
        check,
        findAccounts: async () => [],
        getAccount: async () => null,
        close: async () => void (entry.closed = true),
      };
      return session;
    },
  };
}

const AS_ADMIN: CheckReport = { principal: 'svc-quartermaster', version: '1.0', missing: [] };
