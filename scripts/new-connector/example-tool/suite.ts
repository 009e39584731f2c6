import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { conformanceChecks, type ConformanceFixture } from '../../../connectors/kit/conformance.js';
import type { ToolConnection } from '../../../connectors/kit/contract.js';
import { exampleToolConnector } from './connector.js';
import type { ExampleToolSettings } from './manifest.js';

/** Settings and secrets that work, with every right the README asks for. */
const GOOD: Omit<ToolConnection<ExampleToolSettings>, 'call'> = {
  // Fill in: a real server, started by `beforeAll` on a free port and stopped by `afterAll`.
  settings: { baseUrl: 'http://127.0.0.1:9' },
  secrets: { token: 'only-in-tests' },
  allowPrivateAddresses: true,
};

/** Everything here goes around the connector, straight to the tool: as its administrator, and as the person. */
const fixture = (): ConformanceFixture<ExampleToolSettings> => ({
  good: GOOD,
  wrongSecrets: { token: 'not-this-one' },
  group: { kind: 'group', name: 'engineering' },
  signIn: async () => fillIn('signIn'),
  observe: async () => fillIn('observe'),
  ownPrincipal: async () => fillIn('ownPrincipal'),
  makeTwoWithMark: async () => fillIn('makeTwoWithMark'),
});

describe('the example-tool connector', () => {
  for (const check of conformanceChecks(exampleToolConnector, fixture)) it(check.name, check.run);

  const open = (differing: Partial<ToolConnection<ExampleToolSettings>>) => {
    const call = {
      signal: AbortSignal.timeout(5_000),
      deadline: new Date(Date.now() + 5_000),
      attemptId: randomUUID(),
    };
    return exampleToolConnector.open({ ...GOOD, call, ...differing });
  };

  it('sends its secret to no other host than the one it was saved for', async () => {
    const opening = open({ secretsSavedFor: 'https://elsewhere.example.com' });
    await expect(opening).rejects.toMatchObject({ kind: 'auth-broken' });
  });

  it('reaches no private address unless the tool’s configuration allows it', async () => {
    const settings = { ...GOOD.settings, baseUrl: 'https://169.254.169.254/api' };
    await expect(open({ settings, allowPrivateAddresses: false })).rejects.toMatchObject({ kind: 'forbidden' });
  });

  // Fill in what is particular to this tool: a missing permission by its name, a lost answer (kit/chaos.ts), a page
  // that isn't the API, what it can't show.
});

function fillIn(what: string): never {
  throw new Error(`Fill in ${what} in connectors/example-tool/example-tool.spec.ts.`);
}
