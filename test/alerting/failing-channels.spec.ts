import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { EscalationService } from '../../src/alerting/escalation.service.js';
import { AlertingApp, ROUTING_KEY } from './alerting-app.js';

describe('a channel that fails', () => {
  let test: AlertingApp;
  beforeEach(async () => {
    test = await AlertingApp.start();
  });
  afterEach(() => test?.stop());

  it('with 400 is never asked again; the next one tells it and says why, and so does an alert of its own', async () => {
    const { pagerduty } = await test.addChannels('pagerduty', 'smtp');
    test.pagerduty.next({ kind: 'fail', status: 400 });
    const key = await test.raise();
    await test.deliver();
    await test.letTimePass();
    await test.deliverUntilNothingIsDue();

    expect(test.pagerduty.events).toHaveLength(1);
    expect(await test.deliveries()).toMatchObject([
      { alert: key, channel: 'pagerduty', state: 'refused', attempts: 1, failure: expect.stringContaining('400') },
      {
        alert: key,
        channel: 'smtp',
        state: 'sent',
        note: 'Told this way because “pagerduty” failed: PagerDuty answered 400: the routing key or the event is wrong.',
      },
      { alert: `channel_failed:${pagerduty}`, channel: 'smtp', state: 'sent', note: null },
    ]);
    const subjects = (await test.mails()).map(({ subject }) => subject);
    expect(subjects).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^CRITICAL: GitHub, Ada: .*\(Told this way because “pagerduty” failed/),
        expect.stringMatching(/^ERROR: The alert channel “pagerduty” fails/),
      ]),
    );
  });

  it.each([500, 429])(
    'with %i is tried again; after three times the next one is used, and it goes on',
    async (status) => {
      await test.addChannels('pagerduty', 'smtp');
      test.pagerduty.next({ kind: 'fail', status }, 4);
      const key = await test.raise();
      for (let tries = 1; tries <= 2; tries += 1) {
        await test.deliver();
        expect(await test.mails()).toEqual([]);
        await test.letTimePass();
      }
      await test.deliver();
      await test.deliver();
      expect((await test.mails()).filter(({ subject }) => subject.includes('Ada'))).toHaveLength(1);
      await test.letTimePass();
      await test.deliver();
      await test.letTimePass();
      await test.deliver();

      // It is back: it knows what the others know, it was told one time in the end, and its own alert is over.
      expect(test.pagerduty.all('triggered')).toHaveLength(1);
      expect(await test.deliveries()).toMatchObject([
        { alert: key, channel: 'pagerduty', state: 'sent', attempts: 5 },
        { alert: key, channel: 'smtp', state: 'sent' },
        { channel: 'smtp', action: 'trigger', state: 'sent' },
        { channel: 'smtp', action: 'resolve' },
      ]);
      await test.resolve(key);
      await test.deliverUntilNothingIsDue();
      expect(test.pagerduty.all('resolved')).toHaveLength(1);
      expect((await test.mails()).filter(({ subject }) => subject.startsWith('Over: GitHub'))).toHaveLength(1);
    },
  );

  it('and asks for a pause is left alone for so long', async () => {
    await test.addChannels('pagerduty');
    test.pagerduty.next({ kind: 'fail', status: 429, headers: { 'retry-after': '20' } });
    await test.raise();
    await test.deliver();
    await test.raise();
    expect(await test.deliver()).toBe(0);
    expect(test.pagerduty.events).toHaveLength(1);
    const [row] = await test.service.db.query<{ pause: number }[]>(
      `SELECT EXTRACT(EPOCH FROM not_before - now())::float8 AS pause FROM alert_channels`,
    );
    expect(row?.pause).toBeGreaterThan(15);
  });

  it('because nothing listens there is told without its address, which may be the secret', async () => {
    await test.addChannel({
      kind: 'slack',
      name: 'nowhere',
      secret: 'http://127.0.0.1:1/services/canary-webhook-path',
      settings: { allowPrivateAddresses: true },
    });
    await test.raise();
    await test.deliver();
    const [delivery] = await test.deliveries();
    expect(delivery?.failure).toContain('127.0.0.1:1 refused the connection');
    expect(await test.everythingWritten()).not.toContain('canary-webhook-path');
  });

  it('is not reached inside our network unless that was allowed', async () => {
    await test.addChannel({
      kind: 'pagerduty',
      name: 'metadata',
      secret: ROUTING_KEY,
      settings: { baseUrl: 'https://169.254.169.254', allowPrivateAddresses: false },
    });
    await test.raise();
    await test.deliver();
    expect(await test.deliveries()).toMatchObject([
      { state: 'waiting', failure: expect.stringContaining('private or reserved address') },
    ]);
  });

  it('as the only one leaves the alert open and waiting, and is not told of by itself', async () => {
    const { pagerduty } = await test.addChannels('pagerduty');
    test.pagerduty.next({ kind: 'fail', status: 400 });
    await test.raise();
    await test.deliver();
    await test.escalate();
    await test.deliverUntilNothingIsDue();
    expect(test.pagerduty.events).toHaveLength(1);
    const [failed] = await test.service.db.query<{ open: boolean }[]>(
      `SELECT resolved_at IS NULL AS open FROM alerts WHERE dedup_key = $1`,
      [`channel_failed:${pagerduty}`],
    );
    expect(failed).toEqual({ open: true });
  });

  it('leaves no secret in the log, in errors or in any table but the sealed ones', async () => {
    const { pagerduty } = await test.addChannels('pagerduty', 'slack', 'smtp');
    test.pagerduty.next({ kind: 'fail', status: 500 }, 3);
    await test.raise();
    for (let round = 0; round < 4; round += 1) {
      await test.deliver();
      await test.letTimePass();
    }
    const agent = await test.service.caller();
    await agent.post(`/v1/alert-channels/${pagerduty}/test`).expect(200);
    const shown = await agent.get('/v1/alert-channels').expect(200);
    const written = (await test.everythingWritten()) + JSON.stringify(shown.body);
    expect(written).toContain('PagerDuty answered 500');
    for (const secret of AlertingApp.secrets) expect(written).not.toContain(secret);
  });
});

describe('the escalation list', () => {
  let test: AlertingApp;
  let ids: Record<'pagerduty' | 'slack' | 'smtp', string>;
  beforeEach(async () => {
    test = await AlertingApp.start();
    ids = await test.addChannels('pagerduty', 'slack', 'smtp');
    await test.service.app.get(EscalationService).replace(SYSTEM, [
      { name: 'Ada', channelIds: [ids.pagerduty], waitSeconds: 15 * 60 },
      { name: 'Grace', channelIds: [ids.smtp, ids.slack], waitSeconds: 15 * 60 },
    ]);
  });
  afterEach(() => test?.stop());

  const minutesPass = (minutes: number) =>
    test.service.db.query(`UPDATE alert_deliveries SET created_at = created_at - $1 * interval '1 minute'`, [minutes]);
  const told = async () => (await test.deliveries()).map(({ channel }) => channel);

  it('brings in the next person when an alert is still open after its time, and says so', async () => {
    const key = await test.raise();
    await test.deliver();
    await minutesPass(14);
    await test.escalate();
    expect(await told()).toEqual(['pagerduty']);
    await minutesPass(2);
    await test.escalate();
    await test.escalate();
    await test.deliverUntilNothingIsDue();
    expect(await told()).toEqual(['pagerduty', 'smtp']);
    const [mail] = await test.mails();
    expect(mail?.subject).toContain('Nobody has ended it in the 16 min since Ada was told');
    // The last on the list is told once.
    await minutesPass(60);
    await test.escalate();
    expect(await told()).toHaveLength(2);
    // Both hear that it is over.
    await test.resolve(key);
    await test.deliverUntilNothingIsDue();
    expect(test.pagerduty.all()).toMatchObject([{ state: 'resolved' }]);
    expect(await test.mails()).toHaveLength(2);
  });

  it('leaves an alert that is over, and a warning, with the first', async () => {
    const key = await test.raise();
    await test.raise({ severity: 'warning' });
    await test.deliver();
    await minutesPass(20);
    await test.resolve(key);
    await test.escalate();
    expect(new Set(await told())).toEqual(new Set(['pagerduty']));
  });

  it('is gone through at once when nobody before can be reached', async () => {
    test.pagerduty.next({ kind: 'fail', status: 400 });
    await test.raise();
    await test.deliver();
    await test.deliver();
    expect((await test.mails()).map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([expect.stringContaining('Told this way because “pagerduty” failed')]),
    );
  });
});
