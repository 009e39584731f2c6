import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { cloneFolder } from '../../scripts/embedded/places.js';
import type { TestService } from '../support/service.js';

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Everything that axe knows; in the dark again what depends on colours. */
const LOOKED_AT: Record<'light' | 'dark', axe.RunOnly> = {
  light: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
  dark: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
};

/** An admin in a browser: signed in by a link, with an eye on everything that the page complains about. */
export class BrowserOfAdmin {
  /** What the console said, the security policy's refusals among it, and what was thrown in the page. */
  readonly complaints: string[] = [];
  /** Answers of the server other than good ones. */
  readonly refusals: string[] = [];
  /** What axe found, by page and colour scheme. */
  readonly violations: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly service: TestService,
    /** Where pictures go; without it none are made. */
    private readonly pictures: string | undefined,
  ) {
    page.on('console', (message) => {
      // What was refused is kept below, with its address.
      if (/^(error|warning)$/.test(message.type()) && !message.text().startsWith('Failed to load resource')) {
        this.complaints.push(message.text());
      }
    });
    page.on('response', (answer) => {
      if (answer.status() >= 400) this.refusals.push(`${answer.status()} ${new URL(answer.url()).pathname}`);
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async signIn(service: TestService, browser: Browser): Promise<BrowserOfAdmin> {
    const pictures = process.env['QM_SCREENSHOTS'];
    if (pictures) await mkdir(join(cloneFolder(), pictures), { recursive: true });
    const link = await service.cli('sign-in-link', '--name', 'Robin Keeper');
    const page = await browser.newPage({ viewport: DESK, colorScheme: 'light', reducedMotion: 'reduce' });
    page.setDefaultTimeout(10_000);
    const admin = new BrowserOfAdmin(page, service, pictures && join(cloneFolder(), pictures));
    const path = new URL(link.trim().split(/\s+/).at(-1) ?? '').pathname;
    await page.goto(`${service.url}${path}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    return admin;
  }

  /** As a link within the pages does: nothing is loaded again. */
  async open(path: string): Promise<void> {
    await this.page.evaluate(`history.pushState({}, '', ${JSON.stringify(`/app${path}`)})`);
  }

  /** As an address that somebody was sent. */
  async load(path: string): Promise<void> {
    await this.page.goto(`${this.service.url}/app${path}`);
  }

  /**
   * Has axe look at what is shown, light and dark; and takes pictures of it, where somebody asked for them.
   * @param within by what it is found in the page: the page behind a dialog was looked at before
   */
  async look(name: string, within?: string): Promise<void> {
    const { page } = this;
    if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
    const before = page.viewportSize() ?? DESK;
    // What stays at the bottom of a screen covers nothing then that one could scroll free.
    await this.stretch(before, 4_000);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor({ state: 'attached' });
      const found = await page.evaluate(
        async ({ runOnly, context }) => {
          const inPage = (globalThis as unknown as { axe: typeof axe }).axe;
          return (await inPage.run(context, { runOnly, resultTypes: ['violations'] })).violations;
        },
        { runOnly: LOOKED_AT[colorScheme], context: within ?? 'html' },
      );
      this.violations.push(
        ...found.map(
          ({ id, help, nodes }) =>
            `${name}, ${colorScheme}: ${id}: ${help}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary ?? ''}`).join(' | ')}`,
        ),
      );
      if (this.pictures !== undefined) await this.takePictures(this.pictures, `${name}-${colorScheme}`);
    }
    await page.setViewportSize(before);
  }

  private async takePictures(folder: string, name: string): Promise<void> {
    const before = this.page.viewportSize() ?? DESK;
    for (const size of [DESK, PHONE]) {
      await this.page.setViewportSize(size);
      await this.stretch(size, 2_400);
      await this.page.screenshot({ path: join(folder, `${name}-${size.width}.png`) });
    }
    await this.page.setViewportSize(before);
  }

  /** As long as the page is, so that nothing of it is behind what stays at the bottom of a screen. */
  private async stretch({ width, height }: typeof DESK, most: number): Promise<void> {
    const whole = Number(await this.page.evaluate('document.documentElement.scrollHeight'));
    if (whole > height) await this.page.setViewportSize({ width, height: Math.min(whole, most) });
  }
}
