import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { cloneFolder } from '../../scripts/embedded/places.js';
import { Cosigner } from '../../src/platform/audit/cosignature.js';
import { hasChromium, startChromium } from '../support/chromium.js';
import { joined, newEmployee, TestService, usernameOf } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';
import { BrowserOfAdmin, DESK, PHONE } from './browser-of-admin.js';

const NOBODY = '0198c0de-0000-7000-8000-000000000000';

/** The whole way of one employee, by the pages alone, against the real service; each page is looked at on the way. */
describe.skipIf(!hasChromium)('the user interface, in Chromium', () => {
  let service: TestService;
  let browser: Browser;
  let admin: BrowserOfAdmin;
  const ada = newEmployee({ givenName: 'Ada', familyName: 'Example', workEmail: 'ada.example@acme.example' });
  let laptop: string;
  let changedMeanwhile: string | undefined;
  beforeAll(async () => {
    if (!existsSync(join(cloneFolder(), 'dist/ui/index.html'))) throw new Error('Run `npm run build` first.');
    const identity = await generateX25519Identity();
    const identityFile = join(inject('runFolder'), 'story-identity');
    await writeFile(identityFile, identity, { mode: 0o600 });
    const apiEnv = {
      RECOVERY_RECIPIENTS: await identityToRecipient(identity),
      RECOVERY_IDENTITY_FILE: identityFile,
    };
    [service, browser] = await Promise.all([
      TestService.start({ tools: 2, byHand: true, runbook: true, apiEnv }),
      startChromium(),
    ]);
    [admin] = await Promise.all([
      BrowserOfAdmin.signIn(service, browser),
      rename('tool-0', 'Chat'),
      rename('tool-1', 'Code'),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const activeAtChat = () => service.tools[0].usersNamed(usernameOf(ada)).map(({ active }) => active);

  async function rename(key: string, name: string): Promise<void> {
    const { items } = await service.call<{ items: { id: string; key: string; version: number }[] }>('GET', '/v1/tools');
    const tool = items.find((one) => one.key === key);
    await service.call('PATCH', `/v1/tools/${tool?.id}`, { name }, { 'if-match': `"${tool?.version}"` });
  }

  it('shows who joined, with each account as its tool shows it', async () => {
    const { page } = admin;
    const { body } = await service.hr.post(joined(ada));
    const { personId } = await service.call<{ personId: string }>('GET', `/v1/cases/${String(body['caseId'])}`);
    laptop = await service.giveLaptop(personId, 'MBP-0192');
    await service.call('POST', `/v1/devices/${laptop}/observations`, {
      kind: 'disk_encryption',
      value: 'encrypted',
      source: 'directory',
      observedAt: new Date(Date.now() - 3 * 3_600_000).toISOString(),
    });

    // The page was open before: it is told that a case was opened.
    await page.getByRole('link', { name: /Ada Example.*Join/ }).waitFor();
    await page.getByRole('link', { name: /Create account at Badge office/ }).waitFor();
    await admin.look('overview');

    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('ada exam');
    await page.getByRole('option', { name: /Ada Example.*active/ }).waitFor();
    await admin.look('search', 'dialog');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Ada Example' }).waitFor();
    const chat = page.getByRole('row', { name: /Chat/ });
    await chat.getByText('active', { exact: true }).waitFor();
    await page
      .getByRole('row', { name: /Badge office/ })
      .getByText('never seen yet')
      .waitFor();
    await admin.look('person');
  });

  it('cuts access after a lost laptop, with one hand on a phone, and tells how it stands', async () => {
    const { page } = admin;
    await page.setViewportSize(PHONE);
    await admin.load('/lost-laptop');
    await page.getByLabel('Who or which?').fill('ada');
    await page.getByRole('link', { name: /Ada Example/ }).waitFor();
    await admin.look('lost-laptop-find');
    await page
      .getByRole('link', { name: /Ada Example/ })
      .first()
      .click();
    await page.getByText('encrypted', { exact: true }).waitFor();
    await page.getByText('Will cut: 3 accounts').waitFor();
    await page.getByText('by hand at Badge office').waitFor();
    await admin.look('lost-laptop-chosen');
    await page.getByLabel('Only this laptop; the person works on').check();
    await page.getByRole('button', { name: 'Cut this laptop off now' }).waitFor();
    await page.getByLabel('Everything that Ada Example can get into').check();
    expect(activeAtChat()).toEqual([true]);

    await page.getByRole('button', { name: 'Cut Ada Example’s access now' }).click();
    await page.getByText('1 step needs a person').first().waitFor();
    await waitForTools();
    expect(activeAtChat()).toEqual([false]);

    await page.getByRole('button', { name: 'I did it…' }).click();
    const note = page.getByLabel('What you did, and how it can be seen');
    expect(await page.locator('textarea:focus').count()).toBe(1);
    await note.fill('Badge taken in at the desk, entry 42.');
    await page.getByRole('dialog').getByRole('button', { name: 'I did it…' }).click();
    await page.getByText(/Everything (is|was) cut after .*, 1 step of it on a person’s word/).waitFor();
  });

  it('leads through the runbook: a wipe is told as asked for, a lock as far as somebody saw it', async () => {
    const { page } = admin;
    await page.getByText('Proposed: wipe it.').waitFor();
    await page.getByText('Decide whether to lock or wipe').waitFor();
    await decide('Wipe…', 'Ask a second person', 'It may open by itself.');
    await page.getByText('Nothing is wiped yet: another person has to approve within 30 minutes.').waitFor();
    expect(await page.getByText('Order to wipe').count()).toBe(0);

    await decide('Lock…', 'Lock it', 'A lock needs nobody else, and keeps the chance to find it.');
    await page.getByText('decided here, not asked for yet').first().waitFor();
    await page.getByRole('button', { name: 'Say what you saw…' }).click();
    await page.getByLabel('How it stands').selectOption({ label: 'the laptop took the order' });
    await page.getByLabel('What you saw, and where').fill('The device manager shows it online.');
    await page.getByRole('dialog').getByRole('button', { name: 'Say what you saw…' }).click();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Order to lock' })
      .getByText('the laptop took')
      .first()
      .waitFor();
    await page.getByText('Worksheet of the breach assessment').click();
    await page.getByText('Nobody can say whether the disk could be read.').waitFor();
    await admin.look('lost-laptop-watch');
    await page.setViewportSize(DESK);
  });

  it('offers an unlock once the laptop was found, and nothing that is for one that is away', async () => {
    const { page } = admin;
    expect(await page.getByRole('button', { name: 'Unlock…' }).count()).toBe(0);
    const { version } = await service.call<{ version: number }>('GET', `/v1/devices/${laptop}`);
    await service.call('PATCH', `/v1/devices/${laptop}`, { state: 'found' }, { 'if-match': `"${version}"` });
    await page.reload();
    await decide('Unlock…', 'Unlock it', 'Handed in at the front desk; I have it here.');
    await page.getByText('Order to unlock').waitFor();
    expect(await page.getByRole('button', { name: /^(Lock|Wipe|Unlock)…$/ }).count()).toBe(0);
  });

  async function decide(button: string, verb: string, why: string): Promise<void> {
    const { page } = admin;
    await page.getByRole('button', { name: button }).click();
    await page.getByLabel('Why').fill(why);
    await page.getByRole('dialog').getByRole('button', { name: verb }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  /** Each tool that has an API has shown that it did. */
  async function waitForTools(): Promise<void> {
    for (const tool of ['Chat', 'Code']) {
      const suspended = admin.page.getByRole('listitem').filter({ hasText: `Suspend account at ${tool}` });
      await suspended.getByText('done', { exact: true }).waitFor();
    }
  }

  it('gives access back, and takes everything away for good', async () => {
    const { page } = admin;
    await page.getByRole('button', { name: 'Give access back…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Give access back' }).click();
    await page.getByRole('heading', { name: 'Access given back' }).waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Let in again at Chat' })
      .getByText('done', { exact: true })
      .waitFor();
    await admin.look('case');

    await page.getByRole('link', { name: 'Ada Example' }).first().click();
    await page.getByRole('button', { name: 'Leave now…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('button:focus').getByText('Leave now…').waitFor();
    await page.keyboard.press('Enter');
    await admin.look('leave-dialog', 'dialog');
    await page.getByLabel('Why').fill('Works for somebody else from today.');

    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    await page.route('**/v1/leavers', async (route) => held.then(() => route.abort()));
    await dialog.getByRole('button', { name: 'Leave now' }).click();
    await dialog.getByRole('button', { name: 'Cancel', disabled: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    letGo();
    await dialog.getByText('It may have been done all the same.').waitFor();
    await page.unroute('**/v1/leavers');
    await dialog.getByRole('button', { name: 'Leave now' }).click();
    await page.getByRole('heading', { name: 'Leave', exact: true }).waitFor();
    await waitForTools();
    await page.getByRole('button', { name: 'Waive…' }).first().click();
    await page.getByLabel('Why nobody will do it').fill('The badge was taken in before.');
    await page.getByRole('dialog').getByRole('button', { name: 'Waive…' }).click();
    await page.getByText('waived', { exact: true }).waitFor();
    await page.getByRole('progressbar').waitFor();

    const evidence = await page.getByRole('link', { name: 'Evidence, to read' }).getAttribute('href');
    const answer = await page.request.get(`${service.url}${evidence}`);
    expect(answer.status()).toBe(200);
    expect(await answer.text()).toContain('Badge office');
  });

  it('imports devices: what each line would do first, then all of them', async () => {
    const { page } = admin;
    const place = { zone: 'Europe/Berlin', address: 'Acme, Hof 3, Berlin' };
    const { id: siteId } = await service.call<{ id: string }>('PUT', '/v1/sites/Berlin', place);
    const minimums = [{ siteId, minimum: 2 }];
    await service.call('POST', '/v1/device-models', { name: 'Laptop 14', manufacturer: 'Acme', minimums });
    const lines = (model: string) => `serial,asset_tag,model,site\nS-0300,MBP-0300,${model},Berlin\n`;
    const choose = (content: string) =>
      page
        .getByLabel('A CSV file of devices')
        .setInputFiles({ name: 'laptops.csv', mimeType: 'text/csv', buffer: Buffer.from(content) });
    await admin.open('/devices/import');
    await choose(lines('Laptop 41'));
    await page.getByText('There is no model “Laptop 41”').waitFor();
    expect(await page.getByRole('button', { name: /^Do all/ }).count()).toBe(0);
    await admin.look('import');
    await choose(lines('Laptop 14'));
    await page.getByRole('button', { name: 'Do all 1 line' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Do all 1 line' }).click();
    await page.getByText('Done: 1 device added').waitFor();
  });

  it('gives a device to somebody, has its recovery key read for a reason, and takes it back', async () => {
    const { page } = admin;
    await service.hr.post(joined(newEmployee({ givenName: 'Bo', familyName: 'Example' })));
    const { items } = await service.call<{ items: { id: string }[] }>('GET', '/v1/devices?search=MBP-0300');
    const id = items[0]?.id;
    const key = '123456-canary-654321';
    await service.call('POST', `/v1/devices/${id}/recovery-keys`, { key, protects: 'luks', source: 'bench 2' });
    await service.call('POST', `/v1/devices/${id}/token`);
    // Where the code on its label leads.
    const led = await page.request.get(`${service.url}/d/MBP-0300`, { maxRedirects: 0 });
    expect(led.headers()['location']).toBe(`/app/devices/${id}`);
    await admin.open(`/devices/${id}`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Give it to somebody…' }).click();
    await page.getByLabel('To whom?').fill('bo exam');
    await page.getByRole('radio', { name: /Bo Example/ }).check();
    await admin.look('device-give', 'dialog');
    await dialog.getByRole('button', { name: 'Give it' }).click();
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    await dialog.getByText(`${service.url}/acknowledgement-links/`).waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('not signed yet').waitFor();

    await page.getByText('never read').waitFor();
    await page.getByRole('button', { name: 'Read it…' }).click();
    await page.getByLabel('Why').fill('Forgot the passphrase, called back.');
    await dialog.getByRole('button', { name: 'Read it' }).click();
    await dialog.getByText(key).waitFor();
    await admin.look('recovery-key', 'dialog');
    await page.keyboard.press('Escape');
    await page.getByText('since somebody read it').waitFor();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(key);

    await page.getByRole('button', { name: 'Ask for it back…' }).click();
    await dialog.getByRole('button', { name: 'Ask for it back' }).click();
    await page.getByText('to be given back: asked for').waitFor();
    await admin.open('/returns');
    const row = page.getByRole('row', { name: /MBP-0300/ });
    await row.getByRole('button', { name: 'Received' }).click();
    await dialog.getByRole('button', { name: 'Received' }).click();
    await row.getByRole('button', { name: 'Inspected' }).click();
    const inspected = dialog.getByRole('button', { name: 'Inspected' });
    expect(await inspected.isEnabled()).toBe(false);
    await page.getByLabel('Its condition').selectOption('good');
    await page.getByLabel('Is nothing of theirs on it any more?').selectOption('yes');
    await inspected.click();
    await row.getByText('good · wiped').waitFor();
    expect(await service.call('GET', `/v1/devices/${id}`)).toMatchObject({ state: 'in_stock', holderId: null });
    await admin.open(`/devices/${id}`);
    await page.getByText('ended when it left the person who had it').waitFor();
  });

  it('does one thing with several devices: says what will come of each, asks once, and tells each answer', async () => {
    const { page } = admin;
    const { items: models } = await service.call<{ items: { id: string; name: string }[] }>('GET', '/v1/device-models');
    const modelId = models.find(({ name }) => name === 'Laptop 14')?.id;
    const ids: string[] = [];
    for (const assetTag of ['MBP-0401', 'MBP-0402', 'MBP-0403']) {
      const made = { assetTag, serial: `S-${assetTag}`, modelId };
      ids.push((await service.call<{ id: string }>('POST', '/v1/devices', made)).id);
    }
    const [, second, third] = ids;
    changedMeanwhile = second;
    await service.call('PATCH', `/v1/devices/${third}`, { state: 'in_repair' }, { 'if-match': '"1"' });
    await admin.open('/devices?search=MBP-04');
    const row = (tag: string) => page.getByRole('row', { name: new RegExp(tag) });
    await row('MBP-0403').waitFor();
    expect(await page.getByRole('row', { name: /MBP-0192/ }).count()).toBe(0);
    await page.keyboard.press('j');
    await page.keyboard.press('Space');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Shift+X');
    await page.getByText('3 chosen').waitFor();
    await admin.look('devices-chosen');
    await page.getByRole('button', { name: 'Send to repair…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send 2 devices to repair' });
    await dialog.getByText('it is in repair already').waitFor();
    await admin.look('devices-bulk', 'dialog');
    // Somebody changes one of them meanwhile.
    await service.call('PATCH', `/v1/devices/${second}`, { working: false }, { 'if-match': '"1"' });
    await dialog.getByRole('button', { name: 'Send 2 devices to repair' }).click();
    await dialog.getByText('2 of 2 answered, 1 of them refused.').waitFor();
    await admin.look('devices-bulk-done', 'dialog');
    await page.keyboard.press('Escape');
    await page.getByText('2 chosen').waitFor();
    expect(await row('MBP-0401').getByRole('checkbox').isChecked()).toBe(false);
    expect(await row('MBP-0402').getByRole('checkbox').isChecked()).toBe(true);
    for (const [index, state] of ['in_repair', 'in_stock', 'in_repair'].entries()) {
      expect(await service.call('GET', `/v1/devices/${ids[index]}`)).toMatchObject({ state });
    }

    const downloaded = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download CSV' }).click();
    const file = await (await downloaded).path();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\r\n');
    expect(lines.map((line) => line.split(',')[1])).toEqual(['assetTag', 'MBP-0401', 'MBP-0402', 'MBP-0403']);
  });

  it('says of what it asked for of several people that it is under way, and leads to each one’s case', async () => {
    const { page } = admin;
    await admin.open('/people');
    await page.getByRole('link', { name: /Bo Example/ }).waitFor();
    await page.getByLabel('All 2 shown').check();
    await page.getByRole('button', { name: 'Reset credentials…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Reset the credentials of 1 person' });
    await dialog.getByText('has left already').waitFor();
    await dialog.getByRole('button', { name: 'Reset the credentials of 1 person' }).click();
    await dialog.getByText('a case was opened, and is under way').waitFor();
    await dialog.getByRole('link', { name: 'See the case' }).click();
    await page.getByRole('heading', { level: 1, name: 'Credential reset' }).waitFor();

    await admin.open('/duties');
    await page.getByLabel(/^All \d+ shown/).check();
    await page.getByRole('button', { name: 'Try again…' }).click();
    const again = page.getByRole('dialog', { name: 'Try 0 steps again' });
    await again.getByText('it is done by hand at Badge office').first().waitFor();
    expect(await again.getByRole('button', { name: 'Try 0 steps again' }).isEnabled()).toBe(false);
    await page.keyboard.press('Escape');
  });

  it('confirms on a phone what somebody without a code said at /lost, and gives a step away by a link', async () => {
    const { page } = admin;
    const { body } = await service.hr.post(
      joined(newEmployee({ givenName: 'Cleo', familyName: 'Example', workEmail: 'cleo.example@acme.example' })),
    );
    const { personId } = await service.call<{ personId: string }>('GET', `/v1/cases/${String(body['caseId'])}`);
    const id = await service.giveLaptop(personId, 'MBP-0500');
    await page.setViewportSize(PHONE);
    await admin.open('/');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const said = { email: 'Cleo.Example@acme.example', assetTag: 'mbp-0500', words: 'Left in the tram.' };
    await fetch(`${service.url}/lost/report`, { method: 'POST', body: new URLSearchParams(said) });
    // The page was open before: it is told.
    await page.getByRole('link', { name: /cleo\.example@acme\.example lost mbp-0500/ }).click();
    await page.getByText('Nobody has checked whose this is').waitFor();
    await page.getByRole('link', { name: /MBP-0500 Cleo Example/ }).click();
    await page.getByText('Will cut:').waitFor();
    const cut = page.getByRole('button', { name: 'It is they: cut Cleo Example’s access now' });
    await cut.click();
    await page.getByLabel('Seen in person').check();
    await page.getByLabel('What you learnt, and who vouched').fill('At the desk, with her badge.');
    await admin.look('loss-report');
    expect(await service.call('GET', `/v1/devices/${id}`)).toMatchObject({ state: 'assigned' });
    await cut.click();

    await page.getByRole('button', { name: 'Give it to somebody…' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('To whom?').fill('desk@acme.example');
    await dialog.getByLabel('By a link').check();
    await admin.look('give-step', 'dialog');
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    await dialog.getByText(`${service.url}/task-links/`).waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('desk@acme.example answers for it').waitFor();
    expect(await service.call('GET', `/v1/devices/${id}`)).toMatchObject({ state: 'lost' });
    await page.setViewportSize(DESK);
  });

  it('withdraws a version of an image only when its name is typed, and tells why', async () => {
    const { page } = admin;
    const image = await service.call<{ id: string }>('POST', '/v1/images', { name: 'Workstation' });
    const facts = { version: '2026.11', os: 'debian-13', architecture: 'amd64', changeLog: 'A newer kernel.' };
    const { id: imageVersionId } = await service.call('POST', `/v1/images/${image.id}/versions`, facts);
    await service.call('POST', `/v1/devices/${laptop}/imagings`, { imageVersionId, verified: 'started' });
    await admin.open('/images');
    await page.getByRole('link', { name: '2026.11' }).click();
    await page.getByRole('button', { name: 'Withdraw…' }).click();
    const withdraw = page.getByRole('dialog').getByRole('button', { name: 'Withdraw for good' });
    await page.getByLabel('Why nobody may use it any more').fill('A back door.');
    expect(await withdraw.isEnabled()).toBe(false);
    await page.getByText('Machines that carry it: 1.').waitFor();
    await page.getByLabel('Type 2026.11 to withdraw it').fill('2026.11');
    await withdraw.click();
    await page.getByText('Withdrawn by Robin Keeper').waitFor();
    await admin.look('image-version');
    await page.getByRole('link', { name: 'MBP-0192' }).click();
    await page.getByText('its image was withdrawn').waitFor();
  });

  it('shows everything else that there is', async () => {
    const { page } = admin;
    const { items } = await service.call<{ items: { id: string; key: string }[] }>('GET', '/v1/tools');
    for (const [path, heading, name] of [
      ['/cases', 'Cases', 'cases'],
      ['/duties', 'Needs a person', 'duties'],
      ['/devices', 'Devices', 'devices'],
      [`/devices/${laptop}`, /\w/, 'device'],
      ['/returns', 'Returns', 'returns'],
      ['/models', 'Models and spares', 'models'],
      ['/images', 'Images', 'images'],
      ['/tools', 'Tools', 'tools'],
      [`/tools/${items.find((tool) => tool.key === 'tool-0')?.id}`, 'Chat', 'tool'],
      ['/tools/new', 'Set up a tool', 'tool-new'],
      [`/tools/${items.find((tool) => tool.key === 'tool-0')?.id}/change`, 'Change Chat', 'tool-change'],
      ['/approvals', 'Approvals', 'approvals'],
      ['/hr-events', 'HR inbox', 'hr-events'],
      ['/your-sign-in', 'Your sign-in', 'your-sign-in'],
      ['/settings', 'Settings', 'settings'],
      ['/settings/limits', 'Limits', 'settings-limits'],
      ['/settings/sites', 'Sites', 'settings-sites'],
      ['/settings/installation', 'This installation', 'settings-installation'],
      ['/nowhere', 'There is no such page', 'nowhere'],
    ] as const) {
      await admin.open(path);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await waitFor('everything is there', async () => (await page.locator('.loading').count()) === 0);
      await admin.look(name);
    }
    await admin.open(`/people/${NOBODY}`);
    await page.getByRole('alert').getByText('There is no such thing').waitFor();
    await admin.look('problem');
  });

  it('sets a tool up from what its connector asks for', async () => {
    const { page } = admin;
    await admin.open('/tools/new');
    await page.getByLabel('Which kind of tool').selectOption('manual');
    await page.getByLabel('What people call it').fill('Key cabinet');
    await page.getByLabel('Owners').fill('facility@acme.example');
    await page.getByLabel('toolName').fill('The cabinet on the second floor');
    await page.getByLabel('Environment').selectOption('test');
    // Without its own styles, the tick of a box is as wide as the page.
    const tick = page.locator('form input[type=checkbox] ~ svg').first();
    expect((await tick.boundingBox())?.width).toBeLessThan(32);
    await admin.look('tool-new-filled');
    await page.getByRole('button', { name: 'Set it up' }).click();
    await page.getByRole('heading', { level: 1, name: 'Key cabinet' }).waitFor();
    await page.getByText('key-cabinet').waitFor();
  });

  it('counts disks by what is known of them, and each part leads to the devices that it counts', async () => {
    const { page } = admin;
    await admin.open('/');
    const encrypted = page.getByRole('link', { name: /^encrypted/ });
    await encrypted.waitFor();
    await admin.look('overview-disks');
    await encrypted.click();
    await page.getByRole('row', { name: /MBP-0192/ }).waitFor();
    expect(new URL(page.url()).search).toBe('?encryption=encrypted');
    expect(await page.getByRole('row', { name: /MBP-0300/ }).count()).toBe(0);
    await admin.open('/devices?encryptionSeen=never');
    await page.getByRole('row', { name: /MBP-0300/ }).waitFor();
    expect(await page.getByRole('row', { name: /MBP-0192/ }).count()).toBe(0);
  });

  it('sets up who is told, how much may change at once, and what lets a program in', async () => {
    const { page } = admin;
    const dialog = page.getByRole('dialog');
    await admin.open('/settings/alerts');
    await page.getByRole('button', { name: 'Add a channel…' }).click();
    await page.getByLabel('Kind').selectOption('slack');
    await page.getByLabel('Name').fill('oncall-slack');
    await page.getByLabel('Address of the webhook').fill('https://127.0.0.1:9/services/canary');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    const channel = page.getByRole('row', { name: /oncall-slack/ }).first();
    await channel.getByRole('button', { name: /^Send a test/ }).click();
    await channel.getByText(/^(Failed|Refused):/).waitFor();
    expect(await page.content()).not.toContain('canary');
    await page.getByRole('button', { name: 'Add somebody…' }).click();
    await dialog.getByLabel('Who').fill('On call');
    await dialog.getByLabel('oncall-slack').check();
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    const contact = page.getByRole('row', { name: /1\. On call/ });
    await contact.getByText('oncall-slack').waitFor();
    await admin.look('settings-alerts');
    await contact.getByRole('button', { name: /^Take off/ }).click();
    await dialog.getByRole('button', { name: 'Take off the list' }).click();
    await contact.waitFor({ state: 'detached' });
    await channel.getByRole('button', { name: /^Remove/ }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('nobody is told of anything').waitFor();

    await page.getByRole('link', { name: 'Limits' }).click();
    await page.getByRole('button', { name: 'Change…: Leaves' }).click();
    await page.getByLabel('So many people always pass').fill('500');
    await page.getByLabel('Why').fill('A whole site closes today.');
    await dialog.getByRole('button', { name: 'Ask a second person' }).click();
    await page.getByText('Nothing is changed yet.').waitFor();

    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByRole('button', { name: 'Make a token…' }).click();
    await page.getByLabel('What it is for').fill('Evidence, every quarter');
    await page.getByLabel('Who answers for it').fill('bo exam');
    await page.getByRole('radio', { name: /Bo Example/ }).check();
    await page.getByLabel('cases:read').check();
    await admin.look('settings-token-new', 'dialog');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const token = await dialog.getByText(/^qm_/).innerText();
    const headers = { authorization: `Bearer ${token}` };
    expect((await page.request.get(`${service.url}/v1/cases`, { headers })).status()).toBe(200);
    await page.keyboard.press('Escape');
    await page.getByRole('row', { name: /Evidence, every quarter/ }).waitFor();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain(token);
    await admin.look('settings-tokens');

    await page.getByRole('link', { name: 'Roles' }).click();
    await page.getByRole('button', { name: 'Give a role…' }).click();
    await page.getByLabel('To whom').selectOption({ label: 'Evidence, every quarter' });
    await dialog.getByLabel('Role').selectOption('viewer');
    await page.getByLabel('Why').fill('It reads devices as well.');
    await dialog.getByRole('button', { name: 'Give it' }).click();
    await page.getByRole('row', { name: /Evidence, every quarter.*viewer.*everywhere.*by Robin Keeper/ }).waitFor();
    await admin.look('settings-roles');
  });

  it('lets an HR system in, changes its secret, and has the audit log cosigned', async () => {
    const { page } = admin;
    const dialog = page.getByRole('dialog');
    await admin.open('/settings/hr-sources');
    await page.getByRole('row', { name: /^hr .*\/hooks\/hr\/hr one, made/ }).waitFor();
    await page.getByRole('button', { name: 'Add a source…' }).click();
    await dialog.getByLabel('Name').fill('payroll');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    const secret = await dialog.getByText(/^whsec_/).innerText();
    await dialog.getByText(/\/hooks\/hr\/payroll$/).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Further secret…: payroll' }).click();
    await dialog.getByRole('button', { name: 'Make it' }).click();
    expect(await dialog.getByText(/^whsec_/).innerText()).not.toBe(secret);
    await page.keyboard.press('Escape');
    const payroll = page.getByRole('row', { name: /^payroll/ });
    await payroll.getByText('older, made').waitFor();
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await page.content()).not.toContain('whsec_');
    await admin.look('settings-hr-sources');
    await payroll.getByRole('button', { name: /^Drop the older/ }).click();
    await dialog.getByRole('button', { name: 'Drop it' }).click();
    await payroll.getByText('one, made').waitFor();

    await page.getByRole('link', { name: 'This installation' }).click();
    await page.getByRole('button', { name: 'Add a witness…' }).click();
    await dialog.getByLabel('Address').fill('https://127.0.0.1:9/');
    const key = dialog.getByLabel('Its public key');
    await key.fill('no key');
    await dialog.getByRole('button', { name: 'Add it' }).click();
    await dialog.getByText('This is no key of', { exact: false }).first().waitFor();
    expect(await key.getAttribute('aria-invalid')).toBe('true');
    await admin.look('settings-witness-new', 'dialog');
    await key.fill(new Cosigner('witness.example/w1', Buffer.alloc(32, 9)).verifier.toString());
    await dialog.getByLabel('It is on a private network').check();
    await dialog.getByRole('button', { name: 'Add it' }).click();
    const witness = page.getByRole('row', { name: /witness\.example\/w1/ });
    await witness.getByRole('button', { name: /^Remove/ }).click();
    await dialog.getByText('it can show nothing of later entries', { exact: false }).waitFor();
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
    await witness.waitFor({ state: 'detached' });
  });

  it('checks by itself that an entry is in the sealed log', async () => {
    const { page } = admin;
    await admin.open('/audit');
    const verify = page.getByRole('button', { name: /Verify/ }).first();
    await verify.waitFor();
    await admin.look('audit');
    await verify.click();
    await page.getByText(/^Proved: it is entry/).waitFor();
    await admin.look('audit-proof', 'dialog');
    await page.keyboard.press('Escape');
  });

  it('goes by keys alone, and keeps what is filtered in the address', async () => {
    const { page } = admin;
    await admin.open('/people');
    await page.getByRole('link', { name: /Ada Example/ }).waitFor();
    await admin.look('people');
    await page.keyboard.press('j');
    expect(await page.evaluate('document.activeElement.textContent')).toContain('Ada Example');
    await page.keyboard.press('?');
    const keys = page.getByRole('dialog', { name: 'Keys' });
    await keys.waitFor();
    await page.keyboard.press('Control+k');
    expect(await page.getByRole('dialog', { name: 'Find anybody or anything' }).count()).toBe(0);
    await keys.getByLabel('Single letters do something').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    expect(await keys.count()).toBe(0);
    await page.getByRole('button', { name: 'Keys' }).click();
    await keys.getByLabel('Single letters do something').check();
    await admin.look('keys', 'dialog');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Exact times' }).click();
    const search = page.getByLabel('Name or address');
    await search.fill('nobody ');
    await page.getByText('Nobody is found').waitFor();
    expect(new URL(page.url()).search).toBe('?search=nobody');
    expect(await search.inputValue()).toBe('nobody ');
    await search.fill('');
    await page.getByRole('link', { name: /Ada Example/ }).waitFor();
    await page.getByLabel('Status').selectOption('expected');
    await page.getByText('Nobody is found').waitFor();
    expect(new URL(page.url()).search).toBe('?status=expected');

    await admin.open('/devices');
    await page.getByRole('row', { name: /MBP-0192/ }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'MBP-0192' }).waitFor();
    await page
      .locator('main time')
      .filter({ hasText: / 20\d\d, / })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Exact times' }).click();
  });

  it('was violated by nothing that axe knows, light or dark, and complained about nothing', () => {
    expect(admin.violations).toEqual([]);
    expect(admin.complaints).toEqual([]);
    expect(new Set(admin.refusals)).toEqual(
      new Set([`404 /v1/people/${NOBODY}`, `412 /v1/devices/${changedMeanwhile}`, '400 /v1/audit/witnesses']),
    );
  });

  it('is loaded anew when somebody else has signed in, so that nothing is left of what the one before read', async () => {
    const { page } = admin;
    await page.route('**/v1/caller', async (route) => {
      const caller = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...caller, id: 'user:somebody-else' } });
    });
    const signedOut = { type: '/problems/unauthenticated', title: 'Sign in', detail: 'Sign in first.', instance: 'r' };
    await page.route('**/v1/devices?*', async (route) => route.fulfill({ status: 401, json: signedOut }), { times: 1 });
    const loaded = page.waitForEvent('load');
    await admin.open('/devices?search=anything-else');
    await loaded;
  });

  it('leads to the sign-in whoever is signed out, and back to where they were', async () => {
    const stranger = await browser.newPage();
    await stranger.goto(`${service.url}/app/cases?state=open`);
    await stranger.waitForURL(`${service.url}/sign-in?return=${encodeURIComponent('/app/cases?state=open')}`);
    await stranger.close();
  });
});
