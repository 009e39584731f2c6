import type { BenchContext, Measure } from '../measure.js';
import type { Row } from '../row.js';
import { seeding, seedPeople } from '../seeds/seed.js';
import { BenchService } from '../stage/bench-service.js';
import { TimedReader } from '../stage/timed-reader.js';
import { percentile, spreadOf } from '../statistics.js';
import { peopleInBrowser } from './people-in-browser.js';

const ALL = 1_000_000;
const BLOCKS = 4;

/** Among a million people: a page of 50 over REST, paging through and searching; and the same in a browser. */
export const people: Measure = {
  name: 'people',
  async run({ stage, smoke }: BenchContext): Promise<Row[]> {
    const [count, perBlock] = smoke ? [5_000, 20] : [ALL, 200];
    const database = await stage.database();
    const service = await BenchService.start(stage, {
      database,
      tools: 1,
      latency: 0,
      seed: () => seeding(database.pool, (db) => seedPeople(db, { label: 'all', count })),
    });
    const reader = new Reader(service);
    try {
      const names = await database.rows<{ given: string; family: string; local: string }>(
        `SELECT given_name AS given, family_name AS family, split_part(corporate_email, '@', 1) AS local
         FROM people ORDER BY md5(id::text) LIMIT 500`,
      );
      const terms = names.flatMap(({ given, family, local }) => [
        family,
        `${given} ${family}`,
        family.slice(2, 7),
        given.slice(0, 4),
        local,
        'nobody is called this',
      ]);
      const lists: number[][] = [];
      const searches: number[][] = [];
      await reader.page('');
      await Promise.all(terms.slice(0, 12).map((term) => reader.page(`&search=${encodeURIComponent(term)}`)));
      for (let block = 0; block < BLOCKS; block += 1) {
        lists.push(await reader.walk(perBlock, block % 2 === 0 ? '' : '&status=active'));
        const own = terms.slice((block * terms.length) / BLOCKS).slice(0, perBlock);
        searches.push(await reader.each(own));
      }
      const row = (what: string, blocks: number[][]): Row => ({
        name: `${count.toLocaleString('en')} people: ${what} over REST, p95`,
        figure: percentile(blocks.flat(), 0.95),
        unit: 'ms',
        bound: { most: 50 },
        aim: { most: 15 },
        spread: spreadOf(blocks.map((block) => percentile(block, 0.95))),
        samples: blocks.flat().length,
        notes: [
          `p50 ${percentile(blocks.flat(), 0.5).toFixed(1)} ms, slowest ${Math.max(...blocks.flat()).toFixed(0)} ms`,
        ],
        ...(count < ALL && { short: `among ${count.toLocaleString('en')} people only` }),
      });
      const inBrowser = await peopleInBrowser({
        stage,
        service,
        names: names.map(({ family }) => family),
        count,
        smoke,
        ...(count < ALL && { short: `among ${count.toLocaleString('en')} people only` }),
      });
      return [row('list', lists), row('search', searches), ...inBrowser];
    } finally {
      reader.close();
      await service.stop();
      await database.drop();
    }
  },
};

class Reader {
  private readonly reader: TimedReader;

  constructor(service: BenchService) {
    this.reader = new TimedReader(service);
  }

  /** Page after page, each where the one before ended. */
  async walk(pages: number, filter: string): Promise<number[]> {
    const took: number[] = [];
    let next: string | null = null;
    for (let page = 0; page < pages; page += 1) {
      const answer = await this.page(`${filter}${next === null ? '' : `&cursor=${encodeURIComponent(next)}`}`);
      took.push(answer.ms);
      next = answer.next;
    }
    return took;
  }

  async each(terms: readonly string[]): Promise<number[]> {
    const took: number[] = [];
    for (const term of terms) took.push((await this.page(`&search=${encodeURIComponent(term)}`)).ms);
    return took;
  }

  async page(query: string): Promise<{ ms: number; next: string | null }> {
    const { ms, body } = await this.reader.get(`/v1/people?limit=50${query}`);
    return { ms, next: (body as { next: string | null }).next };
  }

  close(): void {
    this.reader.close();
  }
}
