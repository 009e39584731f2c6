import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChannelsService } from '../../src/alerting/channels.service.js';
import { DatabaseAwayPage } from '../../src/alerting/database-away-page.js';
import { createDataSource } from '../../src/data-source.js';
import type { DataSource } from 'typeorm';
import { openLink, type FaultyLink } from '../platform/faulty-link.js';
import { AlertingApp, ROUTING_KEY } from './alerting-app.js';

const SECOND = 1_000;

describe('a process without PostgreSQL', () => {
  let test: AlertingApp;
  let link: FaultyLink;
  let db: DataSource;
  let now = 0;
  beforeEach(async () => {
    test = await AlertingApp.start();
    link = await openLink();
    db = await createDataSource({ url: link.through(test.service.database.url), applicationName: 'test' }).initialize();
    now = 0;
  });
  afterEach(async () => {
    await link?.mend();
    await db?.destroy();
    await link?.close();
    await test?.stop();
  });

  const start = () =>
    new DatabaseAwayPage({
      db,
      loadChannels: () => test.service.app.get(ChannelsService).openInOrder(),
      processName: 'API server',
      publicUrl: 'https://qm.acme.example',
      clock: () => now,
    });

  it('tells people directly after 30 s, once, by the channels that it had opened; and when it is back', async () => {
    await test.addChannels('pagerduty', 'smtp');
    const page = start();
    await page.look();
    await link.cut();
    now = 29 * SECOND;
    await page.look();
    expect(test.pagerduty.events).toEqual([]);
    now = 30 * SECOND;
    await page.look();
    now = 60 * SECOND;
    await page.look();
    expect(test.pagerduty.events).toHaveLength(1);
    expect(test.pagerduty.all('triggered')).toMatchObject([
      {
        severity: 'critical',
        source: 'qm.acme.example',
        summary: expect.stringMatching(/API server on .* has been without PostgreSQL for 30 s/),
      },
    ]);
    await link.mend();
    await page.look();
    expect(test.pagerduty.all('resolved')).toHaveLength(1);
    expect(await test.mails()).toEqual([]);
  });

  it('counts one that hangs as away', async () => {
    await test.addChannels('pagerduty');
    const page = start();
    await page.look();
    link.freeze();
    now = 31 * SECOND;
    await page.look();
    expect(test.pagerduty.all('triggered')).toHaveLength(1);
  });

  it('takes the next channel when the first fails, and says so', async () => {
    await test.addChannels('pagerduty', 'smtp');
    const page = start();
    await page.look();
    await link.cut();
    test.pagerduty.next({ kind: 'fail', status: 500 });
    now = 30 * SECOND;
    await page.look();
    const [mail] = await test.mails();
    expect(mail?.subject).toContain('without PostgreSQL');
    expect(mail?.text).toContain('“pagerduty” failed: PagerDuty answered 500.');
  });

  it('tries again when nobody could be told', async () => {
    await test.addChannels('pagerduty');
    const page = start();
    await page.look();
    await link.cut();
    test.pagerduty.next({ kind: 'fail', status: 500 });
    now = 30 * SECOND;
    await page.look();
    now = 35 * SECOND;
    await page.look();
    expect(test.pagerduty.events).toHaveLength(1);
    now = 40 * SECOND;
    await page.look();
    expect(test.pagerduty.all('triggered')).toHaveLength(1);
    expect(JSON.stringify(test.pagerduty.events)).not.toContain(ROUTING_KEY);
  });
});
