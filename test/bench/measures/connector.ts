import { randomUUID } from 'node:crypto';
import { Agent, get } from 'node:http';
import type { ToolSession } from '../../../connectors/kit/contract.js';
import { scimConnector } from '../../../connectors/scim/connector.js';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { SEEDED } from '../tools/bench-tool.js';
import { BenchTools } from '../tools/bench-tools.js';
import { median, spreadOf } from '../statistics.js';

const USER = `u-${SEEDED}nobody-1`;
const TOKEN = 'only-in-benches';
const HOUR = 3_600_000;

/**
 * What the kit costs: a connector's look at one account, in an open conversation (deadline, size cap, address guard,
 * parsing into the contract's shape), against the same request by node:http alone, its JSON parsed and no more. Both one
 * call after the other on a kept connection, in turns.
 */
export const connector: Measure = {
  name: 'connector',
  async run({ smoke }: BenchContext): Promise<Row[]> {
    const [blocks, calls] = smoke ? [3, 200] : [15, 1_000];
    const tools = await BenchTools.start(1);
    const [url = ''] = tools.urls;
    const bare = new BareClient(`${url}/Users/${USER}`);
    const session = await openSession(url);
    try {
      await timePerCall(calls, () => lookThrough(session));
      await timePerCall(calls, () => bare.look());
      const pairs: { kit: number; bare: number }[] = [];
      for (let block = 0; block < blocks; block += 1) {
        const kit = await timePerCall(calls, () => lookThrough(session));
        pairs.push({ kit, bare: await timePerCall(calls, () => bare.look()) });
      }
      const ratios = spreadOf(pairs.map((pair) => pair.kit / pair.bare));
      const micros = (of: 'kit' | 'bare') => `${Math.round(median(pairs.map((pair) => pair[of])) * 1000)} µs`;
      return [
        {
          name: 'connector call that changes nothing, through the kit ÷ a bare call, tools at 0 ms',
          figure: ratios.median,
          unit: '×',
          bound: { most: 1.3 },
          aim: null,
          spread: ratios,
          samples: blocks * calls,
          notes: [`${micros('kit')} and ${micros('bare')} a call: medians of ${blocks} blocks of ${calls} calls each`],
        },
      ];
    } finally {
      await session.close();
      bare.close();
      tools.stop();
    }
  },
};

function openSession(baseUrl: string): Promise<ToolSession> {
  return scimConnector.open({
    settings: scimConnector.settings.parse({ baseUrl, refusesSuspendedAtOnce: true, ownUserName: 'quartermaster' }),
    secrets: { token: TOKEN },
    secretsSavedFor: new URL(baseUrl).origin,
    allowPrivateAddresses: true,
    call: {
      signal: new AbortController().signal,
      deadline: new Date(Date.now() + HOUR),
      attemptId: randomUUID(),
    },
  });
}

async function lookThrough(session: ToolSession): Promise<void> {
  const seen = await session.getAccount({ externalId: USER, username: USER.slice(2) });
  if (seen?.state !== 'active') throw new Error('the connector did not show the account');
}

/** The median, in milliseconds. */
async function timePerCall(calls: number, call: () => Promise<void>): Promise<number> {
  const took: number[] = [];
  for (let count = 0; count < calls; count += 1) {
    const startedAt = performance.now();
    await call();
    took.push(performance.now() - startedAt);
  }
  return median(took);
}

class BareClient {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly url: string) {}

  look(): Promise<void> {
    const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };
    return new Promise((resolve, reject) => {
      get(this.url, { agent: this.agent, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => {
          const user = JSON.parse(text) as { active?: boolean };
          if (user.active === true) resolve();
          else reject(new Error('the tool did not show the account'));
        });
      }).once('error', reject);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
