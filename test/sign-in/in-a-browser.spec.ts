import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { SCOPES, SYSTEM } from '../../src/platform/sign-in/actor.js';
import { SignInLinks } from '../../src/platform/sign-in/sign-in-links.service.js';
import { hasChromium, startChromium } from '../support/chromium.js';
import { waitFor } from '../support/wait-for.js';
import { startOidcApp, type OidcApp } from './oidc-app.js';

/** The real one is large, and shown in the same way. */
const SMALL_API = {
  openapi: '3.1.0',
  info: { title: 'Things', version: '1' },
  paths: {
    '/v1/things': { get: { summary: 'All of them', parameters: [], responses: { 200: { description: 'ok' } } } },
  },
};

describe.skipIf(!hasChromium)('in Chromium, with its own ideas of cookies and of where a form may lead', () => {
  let test: OidcApp;
  let browser: Browser;
  beforeAll(async () => {
    if (!existsSync(join(cloneFolder(), 'dist/ui/index.html'))) throw new Error('Run `npm run build` first.');
    [test, browser] = await Promise.all([startOidcApp('localhost'), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await test?.close();
  });

  /** By a fetch of a page of ours, as the user interface will call. */
  const callsApi = (page: Page) => page.evaluate(async () => (await fetch('/v1/people')).status);
  const signInAs = async (page: Page, who: string) => {
    await page.goto(`${test.url}/sign-in?return=/sign-in`);
    await page.getByRole('link', { name: 'Sign in with Acme <login>' }).click();
    await page.locator('input[name=who]').fill(who);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  it('somebody signs in at the provider, goes on by themselves, and signs out here and there', async () => {
    const who = randomUUID();
    await test.admit(who);
    const page = await browser.newPage();
    await signInAs(page, who);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    expect(await page.textContent('body')).toContain('Ada Example');
    expect(await callsApi(page)).toBe(200);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${test.provider.issuer}/session/end*`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'Sign in with Acme <login>' }).waitFor();
    expect(await callsApi(page)).toBe(401);
    // Signed out there as well: it asks who they are.
    await page.getByRole('link', { name: 'Sign in with Acme <login>' }).click();
    await page.locator('input[name=who]').waitFor();
    await page.close();
  });

  it('somebody who signs out at the provider is signed out here: it tells us, behind the browser', async () => {
    const who = randomUUID();
    await test.admit(who);
    const context = await browser.newContext();
    const page = await context.newPage();
    await signInAs(page, who);
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const atProvider = await context.newPage();
    await atProvider.goto(`${test.provider.issuer}/session/end`);
    expect(await callsApi(page)).toBe(200);
    await atProvider.getByRole('button', { name: 'Sign out' }).click();
    await waitFor('the session here ended', async () => (await callsApi(page)) === 401);
    await context.close();
  });

  it('somebody whom nobody admitted reads what to do', async () => {
    const page = await browser.newPage();
    await signInAs(page, 'stranger');
    await page.getByRole('heading', { name: 'You are not admitted here' }).waitFor();
    expect(await callsApi(page)).toBe(401);
    await page.close();
  });

  it('a link from the command line signs in once', async () => {
    const { app, db } = test.service;
    const link = await db.transaction((tx) => app.get(SignInLinks).create(tx, SYSTEM, 'grace', SCOPES));
    const page = await browser.newPage();
    await page.goto(link);
    await page.getByRole('button', { name: 'Sign in' }).click();
    // The page itself is another test's.
    await page.waitForURL(`${test.url}/app`, { waitUntil: 'commit' });
    expect(await callsApi(page)).toBe(200);
    await page.goto(link);
    expect(await page.textContent('h1')).toBe('This link does not work any more');
    await page.close();
  });

  it('somebody registers a security key, and from then on it is asked for before what is dangerous, which then happens', async () => {
    const who = randomUUID();
    const id = await test.admit(who);
    const page = await browser.newPage();
    await page.goto(`${test.url}/sign-in/oidc?fresh&return=/app/your-sign-in`);
    await page.locator('input[name=who]').fill(who);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('You have none').waitFor();
    await plugInKey(page);

    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Register a key…' }).click();
    await page.getByLabel('What you call it').fill('blue one');
    await dialog.getByRole('button', { name: 'Register' }).click();
    await page.getByText('blue one', { exact: true }).waitFor();
    await page.getByText('never used').waitFor();

    // They signed in just now, and yet it is asked for: to remove it is dangerous.
    const remove = dialog.getByRole('button', { name: 'Remove', exact: true });
    await page.getByRole('button', { name: 'Remove…' }).click();
    await remove.click();
    await dialog.getByRole('button', { name: 'Use your security key' }).click();
    await page.getByText('You have none').waitFor();
    const done = await test.service.db.query<{ action: string }[]>(
      `SELECT action FROM audit_entries WHERE actor_id = $1 AND action LIKE 'security-key.%' ORDER BY id`,
      [`user:${id}`],
    );
    expect(done.map(({ action }) => action)).toEqual([
      'security-key.registered',
      'security-key.used',
      'security-key.removed',
    ]);
    await page.close();
  });

  /** One that Chromium plays itself: somebody touches it and types its PIN at once. */
  async function plugInKey(page: Page): Promise<void> {
    const devTools = await page.context().newCDPSession(page);
    await devTools.send('WebAuthn.enable');
    await devTools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'usb',
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
  }

  it('our pages look as they should under a policy that lets no style stand in them but their own', async () => {
    const page = await browser.newPage();
    const refused: string[] = [];
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    await page.route('**/openapi.json', (route) => route.fulfill({ json: SMALL_API }));
    await page.goto(`${test.url}/sign-in`);
    expect(await page.evaluate('getComputedStyle(document.body).maxWidth')).not.toBe('none');
    await page.goto(`${test.url}/docs`);
    await page.getByText('/v1/things').click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    await page.getByRole('button', { name: 'Execute' }).waitFor();
    expect(refused).toEqual([]);
    await page.evaluate(`document.body.insertAdjacentHTML('beforeend', '<i style="color: red">a forged one</i>')`);
    await waitFor('the forged style was refused', () => refused.length === 1);
    await page.close();
  });
});
