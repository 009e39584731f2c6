import { Agent, get } from 'node:http';
import type { ToolSession } from '../../../connectors/kit/contract.js';
import { callWithin } from '../../../connectors/kit/deadline.js';
import { scimConnector } from '../../../connectors/scim/connector.js';
import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { SEEDED } from '../tools/bench-tool.js';
import { BenchTools } from '../tools/bench-tools.js';
import { median, spreadOf } from '../statistics.js';

const USER = `u-${SEEDED}nobody-1`;
const TOKEN = 'only-in-benches';
const HEADERS = { authorization: `Bearer ${TOKEN}`, accept: 'application/json' };
const HOUR = 3_600_000;

/**
 * What the kit costs: a connector's look at one account, in an open conversation (deadline, size cap, address guard,
 * parsing into the contract's shape), against the same request by `fetch`, its JSON parsed and no more; node:http, the
 * barest there is, stands beside it. One call after the other on kept connections, in turns.
 */
export const connector: Measure = {
  name: 'connector',
  async run({ smoke }: BenchContext): Promise<Row[]> {
    const [blocks, calls] = smoke ? [3, 200] : [15, 1_000];
    const tools = await BenchTools.start(1);
    const [url = ''] = tools.urls;
    const path = `${url}/Users/${USER}`;
    const socket = new SocketClient(path);
    const session = await openSession(url);
    const ways = { kit: () => lookThrough(session), fetch: () => lookByFetch(path), http: () => socket.look() };
    try {
      for (const look of Object.values(ways)) await timePerCall(calls, look);
      const rounds: Record<keyof typeof ways, number>[] = [];
      for (let block = 0; block < blocks; block += 1) {
        const kit = await timePerCall(calls, ways.kit);
        const byFetch = await timePerCall(calls, ways.fetch);
        rounds.push({ kit, fetch: byFetch, http: await timePerCall(calls, ways.http) });
      }
      const ratios = spreadOf(rounds.map((round) => round.kit / round.fetch));
      const micros = (of: keyof typeof ways) => `${Math.round(median(rounds.map((round) => round[of])) * 1000)} µs`;
      return [
        {
          name: 'connector call that changes nothing, through the kit ÷ a bare fetch, tools at 0 ms',
          figure: ratios.median,
          unit: '×',
          bound: { most: 1.3 },
          aim: null,
          spread: ratios,
          samples: blocks * calls,
          notes: [
            `${micros('kit')} and ${micros('fetch')} a call; by node:http alone ${micros('http')}: ` +
              `the kit is ${median(rounds.map((round) => round.kit / round.http)).toFixed(2)} × that`,
          ],
        },
      ];
    } finally {
      await session.close();
      socket.close();
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
    call: callWithin(HOUR),
  });
}

async function lookThrough(session: ToolSession): Promise<void> {
  const seen = await session.getAccount({ externalId: USER, username: USER.slice(2) });
  if (seen?.state !== 'active') throw new Error('the connector did not show the account');
}

async function lookByFetch(url: string): Promise<void> {
  const answer = await fetch(url, { headers: HEADERS });
  refuseUnshown(await answer.json());
}

function refuseUnshown(user: unknown): void {
  if ((user as { active?: unknown }).active !== true) throw new Error('the tool did not show the account');
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

class SocketClient {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(private readonly url: string) {}

  look(): Promise<void> {
    return new Promise((resolve, reject) => {
      get(this.url, { agent: this.agent, headers: HEADERS }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => {
          refuseUnshown(JSON.parse(text));
          resolve();
        });
      }).once('error', reject);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
