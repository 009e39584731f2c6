import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runCli } from '../../src/cli/run-cli.js';
import { SCOPES } from '../../src/platform/sign-in/actor.js';
import { AlertingApp, MAIL_PASSWORD, ROUTING_KEY } from './alerting-app.js';

describe('setting up who is told', () => {
  let test: AlertingApp;
  let folder: string;
  beforeAll(async () => {
    test = await AlertingApp.start();
    folder = await mkdtemp(join(inject('runFolder'), 'secrets-'));
    await writeFile(join(folder, 'routing-key'), `${ROUTING_KEY}\n`);
    await writeFile(join(folder, 'password'), MAIL_PASSWORD);
  });
  afterAll(() => test?.stop());

  /** Words in several texts make one command line. */
  const run = async (...words: string[]) => {
    const lines: string[] = [];
    const code = await runCli(words.join(' ').split(' '), {
      env: {},
      out: (line) => lines.push(line),
      note: (line) => lines.push(line),
      actor: { kind: 'admin', id: 'terminal:ada', name: 'ada', scopes: SCOPES },
      withDatabase: () => Promise.reject(new Error('not here')),
      withServices: (work) => work(test.service.app),
    });
    return { code, text: lines.join('\n') };
  };
  const pagerduty = (name: string) =>
    run(
      `alert-channel add pagerduty ${name} --secret-file ${join(folder, 'routing-key')} --allow-private-addresses`,
      '--base-url',
      test.pagerduty.url,
    );

  it('by the command line: a channel is added, tried, listed without its secret, and removed', async () => {
    expect((await run('alert-channel', 'list')).text).toContain('There are no channels');
    expect(await pagerduty('oncall')).toMatchObject({ code: 0 });
    expect(await run('alert-channel', 'test', 'oncall')).toEqual({ code: 0, text: 'sent' });
    expect(test.pagerduty.all()).toMatchObject([{ state: 'resolved', severity: 'info' }]);
    test.pagerduty.next({ kind: 'fail', status: 400 });
    expect(await run('alert-channel', 'test', 'oncall')).toMatchObject({
      code: 1,
      text: expect.stringContaining('refused'),
    });
    const listed = await run('alert-channel', 'list');
    expect(listed.text).toMatch(/^oncall {2}pagerduty/);
    expect(listed.text).not.toContain(ROUTING_KEY);
    expect(await run('alert-channel', 'remove', 'oncall')).toMatchObject({ code: 0 });
    expect(await run('alert-channel', 'test', 'oncall')).toMatchObject({
      code: 1,
      text: expect.stringContaining('no channel “oncall”'),
    });
    const [secrets] = await test.service.db.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM secrets WHERE purpose LIKE 'alert-channel%'`,
    );
    expect(secrets?.count).toBe(0);
  });

  it('mistakes are told in a sentence and never repeat the secret', async () => {
    await writeFile(join(folder, 'short'), 'canary-short');
    const short = await run('alert-channel', 'add', 'pagerduty', 'x', '--secret-file', join(folder, 'short'));
    expect(short).toMatchObject({ code: 2, text: expect.stringContaining('32 letters and digits') });
    expect(short.text).not.toContain('canary-short');
    const clear = await run(
      'alert-channel add smtp mail --host mail.acme.example --tls none --user qm --from qm@acme.example',
      `--to a@acme.example --secret-file ${join(folder, 'password')}`,
    );
    expect(clear).toMatchObject({ code: 2, text: expect.stringContaining('not sent without TLS') });
    expect(await run('alert-channel', 'add', 'slack', 'x', '--secret-file', join(folder, 'none'))).toMatchObject({
      code: 2,
    });
    await pagerduty('twice');
    expect(await pagerduty('twice')).toMatchObject({ code: 1, text: expect.stringContaining('already') });
  });

  it('the escalation list is built, and keeps a channel that it names', async () => {
    await pagerduty('ada-phone');
    expect(await run('escalation', 'add', 'Ada', '--channels', 'ada-phone', '--wait', '10')).toMatchObject({ code: 0 });
    expect(await run('escalation', 'add', 'Grace', '--channels', 'nobody')).toMatchObject({ code: 1 });
    expect(await run('escalation', 'add', 'Grace', '--channels', 'ada-phone', '--wait', '0')).toMatchObject({
      code: 2,
    });
    expect((await run('escalation', 'list')).text).toBe('1. Ada  ada-phone  10 min');
    expect(await run('alert-channel', 'remove', 'ada-phone')).toMatchObject({
      code: 1,
      text: expect.stringContaining('Ada'),
    });
    expect(await run('escalation', 'remove', 'Ada')).toMatchObject({ code: 0 });
    expect(await run('escalation', 'remove', 'Ada')).toMatchObject({ code: 1 });
  });

  it('by REST: the same, for those who hold alerts:write', async () => {
    const reader = await test.service.caller('reader', 'alerts:read');
    const body = { ...test.channelOf('pagerduty', 'by-rest') };
    await reader.post('/v1/alert-channels').send(body).expect(403);
    const admin = await test.service.caller('admin', 'alerts:read', 'alerts:write');
    const { body: channel } = await admin.post('/v1/alert-channels').send(body).expect(201);
    expect(channel).toMatchObject({ name: 'by-rest', kind: 'pagerduty' });
    expect(JSON.stringify(channel)).not.toContain(ROUTING_KEY);
    await admin.post('/v1/alert-channels').send(body).expect(409);
    await admin
      .post('/v1/alert-channels')
      .send({ ...body, kind: 'fax' })
      .expect(400);
    const contacts = [{ name: 'Ada', channelIds: [channel.id], waitSeconds: 900 }];
    await admin
      .put('/v1/escalation')
      .send({ contacts })
      .expect(200, { contacts: [{ level: 1, ...contacts[0] }] });
    await admin.delete(`/v1/alert-channels/${channel.id}`).expect(409);
    await admin.put('/v1/escalation').send({ contacts: [] }).expect(200);
    const tried = await admin.post(`/v1/alert-channels/${channel.id}/test`).expect(200);
    expect(tried.body).toEqual({ outcome: 'sent', why: null });

    await test.raise({ dedupKey: 'rest' });
    const [alert] = await test.service.db.query<{ id: string }[]>(`SELECT id FROM alerts WHERE dedup_key = 'rest'`);
    await test.deliver();
    const told = await reader.get(`/v1/alerts/${alert?.id}/deliveries`).expect(200);
    expect(told.body.items).toMatchObject([{ action: 'trigger', state: 'sent', attempts: 1 }]);
    await admin.delete(`/v1/alert-channels/${channel.id}`).expect(204);
    await admin.delete(`/v1/alert-channels/${channel.id}`).expect(404);
  });

  it('leaves who did it in the audit log, and no secret', async () => {
    const entries = await test.service.db.query<{ action: string; actor_id: string }[]>(
      `SELECT action, actor_id, facts FROM audit_entries WHERE action ~ '^(alert-channel|escalation)' ORDER BY id`,
    );
    expect(new Set(entries.map(({ action }) => action))).toEqual(
      new Set(['alert-channel.added', 'alert-channel.tested', 'alert-channel.removed', 'escalation.changed']),
    );
    expect(entries[0]?.actor_id).toBe('terminal:ada');
    const written = await test.everythingWritten();
    for (const secret of AlertingApp.secrets) expect(written).not.toContain(secret);
  });
});
