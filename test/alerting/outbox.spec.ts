import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlertsService } from '../../src/cases/alerts.service.js';
import { ChannelsService } from '../../src/alerting/channels.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { waitFor } from '../support/wait-for.js';
import { AlertingApp } from './alerting-app.js';

describe('an alert', () => {
  let test: AlertingApp;
  beforeEach(async () => {
    test = await AlertingApp.start();
  });
  afterEach(() => test?.stop());

  it('and what is to be told of it are there together, or not at all', async () => {
    await test.addChannels('pagerduty');
    await expect(
      test.service.db.transaction(async (tx) => {
        await test.service.app.get(AlertsService).raise(tx, {
          dedupKey: 'x',
          kind: 'needs_human',
          severity: 'error',
          owner: 'it',
          message: 'never happened',
        });
        throw new Error('the business was rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await test.deliveries()).toEqual([]);
    const key = await test.raise();
    expect(await test.deliveries()).toMatchObject([
      { alert: key, channel: 'pagerduty', action: 'trigger', state: 'waiting', attempts: 0 },
    ]);
  });

  it('is told once, though it is raised again and many look for what is due', async () => {
    await test.addChannels('pagerduty');
    const key = await test.raise();
    await test.raise({ dedupKey: key });
    await Promise.all([1, 2, 3, 4].map(() => test.deliver()));
    await test.deliverUntilNothingIsDue();
    expect(test.pagerduty.events).toHaveLength(1);
    expect(test.pagerduty.all()).toMatchObject([
      {
        state: 'triggered',
        severity: 'critical',
        summary: 'CRITICAL: GitHub, Ada: the permission is missing.',
        source: '127.0.0.1:3000',
      },
    ]);
    expect(await test.deliveries()).toMatchObject([{ state: 'sent', attempts: 1 }]);
  });

  it('is resolved where it was told, when it is over; the same trouble later is a new one', async () => {
    await test.addChannels('pagerduty');
    const key = await test.raise();
    await test.deliver();
    await test.resolve(key);
    await test.deliver();
    expect(test.pagerduty.all()).toMatchObject([{ state: 'resolved' }]);
    await test.raise({ dedupKey: key });
    await test.deliver();
    expect(test.pagerduty.all().map(({ state }) => state)).toEqual(['resolved', 'triggered']);
    expect(new Set(test.pagerduty.all().map(({ dedupKey }) => dedupKey)).size).toBe(2);
  });

  it('that is over before it was told is told to nobody', async () => {
    await test.addChannels('pagerduty');
    await test.resolve(await test.raise());
    expect(await test.deliver()).toBe(0);
    expect(test.pagerduty.events).toEqual([]);
    expect(await test.deliveries()).toMatchObject([{ action: 'trigger', state: 'not_needed', attempts: 0 }]);
  });

  it('that ends while the word of it is on its way is resolved after that word, never before', async () => {
    await test.addChannels('pagerduty');
    const key = await test.raise();
    test.pagerduty.next({ kind: 'swallow-answer' });
    const sending = test.deliver();
    await waitFor('it is on its way', () => test.pagerduty.events.length === 1);
    await test.resolve(key);
    expect(await test.deliver()).toBe(0);
    test.pagerduty.hangUp();
    await sending;
    await test.deliverUntilNothingIsDue();
    expect(test.pagerduty.events.map(({ action }) => action)).toEqual(['trigger', 'resolve']);
    expect(test.pagerduty.all()).toMatchObject([{ state: 'resolved' }]);
    await test.escalate();
    expect(await test.deliveries()).toMatchObject([
      { action: 'trigger', state: 'not_needed' },
      { action: 'resolve', state: 'sent' },
    ]);
  });

  it('reaches Slack, as a message that nothing in it can turn into a mention', async () => {
    await test.addChannels('slack');
    const key = await test.raise({ message: 'GitHub, <!channel> & co: no permission' });
    await test.deliver();
    await test.resolve(key);
    await test.deliverUntilNothingIsDue();
    const texts = (await test.slackTexts()).filter((text) => text.includes('GitHub'));
    expect(texts).toHaveLength(2);
    expect(texts[0]).toContain(':rotating_light: CRITICAL: GitHub, &lt;!channel&gt; &amp; co: no permission');
    expect(texts[0]).toContain('For it@acme.example');
    expect(texts[1]).toContain(':white_check_mark: Over: GitHub');
  });

  it('reaches people by mail, and its end answers the first mail', async () => {
    await test.addChannels('smtp');
    const key = await test.raise({ message: 'GitHub\r\nBcc: everybody@acme.example' });
    await test.deliver();
    await test.resolve(key);
    await test.deliver();
    const [first, second] = await waitFor('both are there', async () => {
      const mails = await test.mails();
      return mails.length === 2 && mails.toSorted((a) => (a.subject.startsWith('Over') ? 1 : -1));
    });
    expect(first?.subject).toBe('CRITICAL: GitHub Bcc: everybody@acme.example');
    expect(first?.text).toContain('Severity: critical');
    expect(second?.subject).toMatch(/^Over: GitHub/);
    expect(second?.inReplyTo).toBe(first?.messageId);
    expect(first?.messageId).not.toBe('');
  });

  it('waits for a channel when there is none yet', async () => {
    await test.raise();
    await test.escalate();
    expect(await test.deliveries()).toEqual([]);
    await test.addChannels('pagerduty');
    await test.escalate();
    await test.deliver();
    expect(test.pagerduty.all('triggered')).toHaveLength(1);
  });

  it('that waits at a channel which is removed is told by another', async () => {
    const { pagerduty } = await test.addChannels('pagerduty', 'smtp');
    await test.raise();
    await test.service.app.get(ChannelsService).remove(SYSTEM, pagerduty);
    await test.escalate();
    await test.deliver();
    expect(test.pagerduty.events).toEqual([]);
    expect(await test.mails()).toHaveLength(1);
  });

  it('that is critical is sent before a thousand warnings', async () => {
    await test.addChannels('slack');
    await test.service.db.query(
      `INSERT INTO alerts (id, dedup_key, kind, severity, owner, message)
       SELECT gen_random_uuid(), 'many:' || n, 'needs_human', 'warning', 'it', 'one of many' FROM generate_series(1, 1000) n`,
    );
    await test.raise({ message: 'the one that counts' });
    expect(await test.deliver()).toBe(1);
    expect((await test.slackTexts()).at(-1)).toContain('the one that counts');
    // One message a second is what Slack takes.
    expect(await test.deliver()).toBe(0);
  });
});
