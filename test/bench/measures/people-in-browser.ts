import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { runCli } from '../../../scripts/run-cli.js';
import { hasChromium, startChromium } from '../../support/chromium.js';
import type { Row } from '../row.js';
import type { BenchService } from '../stage/bench-service.js';
import type { Stage } from '../stage/stage.js';
import { percentile, spreadOf } from '../statistics.js';

/** How much slower the page's processor is made while it loads: a phone of some years ago. */
const THROTTLING = 4;
/** Whoever searches again has looked at what was found, or goes on typing: slower than this. Milliseconds. */
const BETWEEN_SEARCHES = 200;
const PHONE = { width: 390, height: 844 };

interface Asked {
  stage: Stage;
  service: BenchService;
  /** Of people whom a search finds. */
  names: readonly string[];
  count: number;
  /** Why the figures are of less than was promised. */
  short?: string;
  smoke: boolean;
}

/** The list of people as somebody uses it: in headless Chromium, signed in, against the same service. */
export async function peopleInBrowser({ stage, service, names, count, short, smoke }: Asked): Promise<Row[]> {
  if (!hasChromium) throw new Error('there is no Chromium: apt-get install chromium');
  const [loads, searches, scrolls] = smoke ? [2, 8, 20] : [12, 120, 400];
  const cookies = await inBrowser(stage, {}, (page) => signIn(page, stage, service));
  const loaded: number[] = [];
  // Another browser each time: nothing of the one before is kept.
  for (let load = 0; load < loads; load += 1) {
    loaded.push(await inBrowser(stage, { viewport: PHONE, storageState: cookies }, (page) => firstLoad(page, service)));
  }
  const [searched, scrolled] = await inBrowser(
    stage,
    { storageState: cookies, reducedMotion: 'reduce' },
    async (page) => [
      await series(page, service, names.slice(0, searches), (name) => search(page, name)),
      await series(page, service, Array.from({ length: scrolls }), () => scrollOn(page)),
    ],
  );

  const of = `${count.toLocaleString('en')} people`;
  const row = (name: string, took: number[], most: number, note: string): Row => ({
    name,
    figure: percentile(took, 0.95),
    unit: 'ms',
    bound: { most },
    aim: null,
    spread: spreadOf(took),
    samples: took.length,
    notes: [note],
    ...(short !== undefined && { short }),
  });
  return [
    row(
      `… in the browser: first load until the list can be used, processor slowed ${THROTTLING} ×, p95`,
      loaded,
      1_500,
      'from the start of the navigation, nothing cached, 390 px wide, to the frame that shows the first people',
    ),
    row(`${of}: a search in the browser, p95`, searched, 100, 'from the key to the frame that shows those found'),
    row(`${of}: a scroll in the browser, p95`, scrolled, 100, 'from the wheel to the frame that shows who is there'),
  ];
}

/** A page of a browser of its own. */
async function inBrowser<T>(
  stage: Stage,
  options: BrowserContextOptions,
  work: (page: Page) => Promise<T>,
): Promise<T> {
  const browser = await startChromium();
  stage.onStop(() => browser.close());
  try {
    return await work(await (await browser.newContext(options)).newPage());
  } finally {
    await browser.close();
  }
}

/** By a one-time link, as everybody's first sign-in; answers what a browser keeps of it. */
async function signIn(page: Page, stage: Stage, service: BenchService) {
  const env = { ...stage.env(service.database.url), PUBLIC_URL: service.url };
  const link = await runCli(['sign-in-link', '--name', 'Robin Keeper'], env);
  await page.goto(`${service.url}${new URL(link.trim().split(/\s+/).at(-1) ?? '').pathname}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  return page.context().storageState();
}

/** Milliseconds from the start of the navigation to the frame after the first person is in the page. */
async function firstLoad(page: Page, service: BenchService): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLING });
  await page.addInitScript(`
    globalThis.usable = new Promise((resolve) => {
      const look = () => document.querySelector('.endless-row')
        ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
        : requestAnimationFrame(look);
      requestAnimationFrame(look);
    });`);
  await page.goto(`${service.url}/app/people`, { waitUntil: 'commit' });
  return told(page, 'globalThis.usable');
}

/** The same act over and over on the list of people, from its beginning. */
async function series<T>(
  page: Page,
  service: BenchService,
  over: readonly T[],
  act: (one: T) => Promise<number>,
): Promise<number[]> {
  await page.goto(`${service.url}/app/people`);
  await page.locator('.endless-row').first().waitFor();
  const took: number[] = [];
  for (const one of over) took.push(await act(one));
  return took;
}

/** Milliseconds from the input of a name, which is none of those shown, to the frame in which all that are shown have it. */
async function search(page: Page, name: string): Promise<number> {
  // Void: what is evaluated to a promise is waited for.
  await page.evaluate(`
    void (globalThis.found = new Promise((resolve) => {
      addEventListener('input', ({ timeStamp }) => {
        const look = () => {
          const rows = [...document.querySelectorAll('.endless-row')];
          const isThere = rows.length > 0 && rows.every((row) => row.textContent.toLowerCase().includes(${JSON.stringify(name.toLowerCase())}));
          if (isThere) requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - timeStamp)));
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }, { once: true, capture: true });
    }));`);
  await pause(BETWEEN_SEARCHES);
  await page.getByRole('searchbox').first().fill(name);
  return told(page, 'globalThis.found');
}

/** Milliseconds from a turn of the wheel to the frame in which somebody stands in the middle of the window. */
async function scrollOn(page: Page): Promise<number> {
  return told(
    page,
    `
    new Promise((resolve) => {
      const since = performance.now();
      const before = scrollY;
      scrollBy(0, 900);
      const look = () => {
        const there = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest('.endless-row');
        if (there && scrollY > before) setTimeout(() => resolve(performance.now() - since));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    })`,
  );
}

/** What the page answers; a page that says nothing at all, not even that it gave up, fails the bench as well. */
async function told(page: Page, expression: string): Promise<number> {
  const silence = async (): Promise<never> => {
    await pause(30_000, undefined, { ref: false });
    throw new Error(`the page ${page.url()} said nothing for 30 s to: ${expression.trim().slice(0, 60)}`);
  };
  return Promise.race([page.evaluate<number>(expression), silence()]);
}
