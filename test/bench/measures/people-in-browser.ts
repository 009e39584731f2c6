import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { runCli } from '../../../scripts/run-cli.js';
import { hasChromium, startChromium } from '../../support/chromium.js';
import type { Row } from '../row.js';
import type { BenchService } from '../stage/bench-service.js';
import type { Stage } from '../stage/stage.js';
import { percentile, spreadOf } from '../statistics.js';

/** How much slower the page's processor is made while it loads: a phone of some years ago. */
const THROTTLING = 4;
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
  const browser = await startChromium();
  stage.onStop(() => browser.close());
  try {
    const cookies = await signIn(stage, service, await browser.newContext());
    const [loads, searches, scrolls] = smoke ? [2, 8, 20] : [12, 120, 400];
    const loaded: number[] = [];
    for (let load = 0; load < loads; load += 1) {
      // A context of its own has an empty cache.
      const context = await browser.newContext({ viewport: PHONE, storageState: cookies });
      loaded.push(await untilUsable(await context.newPage(), service));
      await context.close();
    }
    const context = await browser.newContext({ storageState: cookies, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(`${service.url}/app/people`);
    await page.locator('.endless-row').first().waitFor();
    const searched: number[] = [];
    for (const name of names.slice(0, searches)) searched.push(await search(page, name));
    await page.getByRole('searchbox').first().fill('');
    await page.goto(`${service.url}/app/people`);
    await page.locator('.endless-row').first().waitFor();
    const scrolled: number[] = [];
    for (let scroll = 0; scroll < scrolls; scroll += 1) scrolled.push(await scrollOn(page));
    await context.close();

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
  } finally {
    await browser.close();
  }
}

/** By a one-time link, as everybody's first sign-in; answers what a browser keeps of it. */
async function signIn(stage: Stage, service: BenchService, context: BrowserContext) {
  const env = { ...stage.env(service.database.url), PUBLIC_URL: service.url };
  const link = await runCli(['sign-in-link', '--name', 'Robin Keeper'], env);
  const page = await context.newPage();
  await page.goto(`${service.url}${new URL(link.trim().split(/\s+/).at(-1) ?? '').pathname}`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** Milliseconds from the start of the navigation to the frame after the first person is in the page. */
async function untilUsable(page: Page, service: BenchService): Promise<number> {
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

/** Milliseconds from the input of a name, which is none of those shown, to the frame in which all that are shown have it. */
async function search(page: Page, name: string): Promise<number> {
  await page.evaluate(`
    globalThis.found = new Promise((resolve) => {
      addEventListener('input', ({ timeStamp }) => {
        const look = () => {
          const rows = [...document.querySelectorAll('.endless-row')];
          const isThere = rows.length > 0 && rows.every((row) => row.textContent.toLowerCase().includes(${JSON.stringify(name.toLowerCase())}));
          if (isThere) requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - timeStamp)));
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }, { once: true, capture: true });
    });`);
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
