import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CsvExports } from '../../src/platform/csv/csv-exports.service.js';
import { Problem } from '../../src/platform/errors/problem.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { anAccount } from '../factories/accounts.js';
import { aCase } from '../factories/cases.js';
import { aDevice } from '../factories/devices.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { AN_ADMIN, aRoleHolder } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { waitFor } from '../support/wait-for.js';

type Row = Record<string, string>;
type Agent = Awaited<ReturnType<ServiceApp['caller']>>;

const MANY = 1_201;

describe('a list as a CSV file', () => {
  let service: ServiceApp;
  let admin: Agent;
  beforeAll(async () => {
    service = await startServiceApp();
    admin = await service.caller('admin');
    const { manager } = service.db;
    for (const givenName of ['=HYPERLINK("http://x.example")', 'Åsa, "the" one\nof two']) {
      const { id: personId } = await aPerson(manager, { givenName, familyName: 'Example' });
      await anEmployment(manager, { personId, department: 'Sales' });
    }
    const { id: personId } = await aPerson(manager, { status: 'left' });
    await aDevice(manager, { holderId: personId });
    await anAccount(manager, { personId });
    await anAccount(manager, { personId: null });
    await aCase(manager, { personId, facts: { reason: '=1', days: 3 } });
    await manager.query(
      `INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status)
       SELECT gen_random_uuid(), 'Crowd', n::text, 'Crowd ' || n, 'crowd-' || n || '@acme.example', 'expected' FROM generate_series(1, $1::int) n`,
      [MANY],
    );
  });
  afterAll(() => service?.close());

  const fileOf = async (agent: Agent, path: string) => agent.get(path).expect(200);
  const rowsIn = (text: string): Row[] => parse(text, { columns: true });
  const entries = (list: string) =>
    service.db.query<{ action: string; facts: object; actor: string; personal: object | null }[]>(
      `SELECT e.action, e.facts, e.actor_id AS actor,
         (SELECT jsonb_object_agg(f.name, f.value) FROM audit_personal_fields f WHERE f.entry_id = e.id AND f.name <> 'address') AS personal
       FROM audit_entries e WHERE e.subject_kind = 'list' AND e.subject_id = $1 ORDER BY e.id`,
      [list],
    );

  it.each([
    ['people', '?department=sales', 2],
    ['devices', '?state=assigned', 1],
    ['accounts', '?nobodys=true', 1],
    ['cases', '?state=open', 1],
    ['audit-entries', '?subjectId=people', 2],
  ])('has of %s what the list has with the same filters, field by field', async (list, filter, count) => {
    const { body } = await admin.get(`/v1/${list}${filter}`).expect(200);
    const { text, headers } = await fileOf(admin, `/v1/${list}.csv${filter}`);
    const items = body.items as Record<string, unknown>[];
    if (count !== null) expect(items).toHaveLength(count);
    expect(text.endsWith('\r\n')).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': expect.stringMatching(
        new RegExp(`^attachment; filename="quartermaster-${list}-\\d{4}-\\d\\d-\\d\\d\\.csv"$`),
      ),
      'cache-control': 'no-store',
    });
    const asText = (value: unknown): string => {
      if (value === null) return '';
      const written = typeof value === 'string' ? value : JSON.stringify(value);
      return written.startsWith('=') ? `'${written}` : written;
    };
    expect(rowsIn(text)).toEqual(
      items.map((item) => Object.fromEntries(Object.entries(item).map(([field, value]) => [field, asText(value)]))),
    );
  });

  it('goes on over all pages, each row once, and is there for HEAD without anybody having it', async () => {
    const before = (await entries('people')).length;
    const head = await admin.head('/v1/people.csv?status=expected').expect(200);
    expect(head.headers['content-type']).toContain('text/csv');
    expect(await entries('people')).toHaveLength(before);
    const rows = rowsIn((await fileOf(admin, '/v1/people.csv?status=expected')).text);
    expect(rows).toHaveLength(MANY);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(MANY);
  });

  it('is in the audit log with who took how many rows, and what they typed apart from it', async () => {
    const taker = await aRoleHolder(service.app, 'viewer');
    await fileOf(taker.agent, '/v1/people.csv?status=left&search=love');
    const mine = (await entries('people')).filter(({ actor }) => actor === taker.principal);
    expect(mine).toMatchObject([
      { action: 'export.started', facts: { filter: { status: 'left' } }, personal: { search: 'love' } },
      { action: 'export.ended', facts: { filter: { status: 'left' }, rows: 1, whole: true } },
    ]);
    expect(JSON.stringify(mine.map(({ facts }) => facts))).not.toContain('love');
  });

  it('shows nobody more than the list does', async () => {
    const narrowed = await aRoleHolder(service.app, 'viewer', { department: 'Sales' });
    expect(rowsIn((await fileOf(narrowed.agent, '/v1/people.csv')).text)).toHaveLength(2);
    const viewer = await aRoleHolder(service.app, 'viewer');
    const helpdesk = await aRoleHolder(service.app, 'helpdesk');
    const [unseen] = rowsIn((await fileOf(viewer.agent, '/v1/devices.csv')).text);
    const [seen] = rowsIn((await fileOf(helpdesk.agent, '/v1/devices.csv')).text);
    expect(seen?.['serial']).toMatch(/^SN-/);
    expect(unseen).toEqual({ ...seen, serial: '' });
    await viewer.agent.get('/v1/audit-entries.csv').expect(403);
  });

  it('is refused, and not begun, for a filter that is wrong or that nobody knows', async () => {
    const before = (await entries('people')).length;
    const wrong = await admin.get('/v1/people.csv?status=gone').expect(400);
    expect(wrong.body.errors[0]).toMatchObject({ pointer: '/query/status' });
    // Left out, it would be everybody.
    const unknown = await admin.get('/v1/people.csv?departement=Sales').expect(400);
    expect(unknown.body.errors[0].detail).toContain('departement');
    expect(unknown.headers['content-type']).toContain('application/problem+json');
    expect(await entries('people')).toHaveLength(before);
  });

  /** A list that the test gives page by page, at an address of its own. */
  async function serve(name: string, page: (number: number) => Promise<{ id: string; text: string }[]>) {
    const csv = service.app.get(CsvExports, { strict: false });
    let pages = 0;
    const sent: Promise<unknown>[] = [];
    const responses: ServerResponse[] = [];
    const server = createServer((request, response) => {
      responses.push(response);
      const list = {
        name,
        fields: ['id', 'text'],
        filter: {},
        page: () => page((pages += 1)),
        view: (row: { id: string; text: string }) => row,
      };
      const done = csv.send({ request, response, actor: AN_ADMIN }, list).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500).end();
        return error;
      });
      sent.push(done);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    return { port, url: `http://127.0.0.1:${port}`, server, sent, responses, pages: () => pages };
  }

  const fullPage = async (text = 'x') => Array.from({ length: 500 }, () => ({ id: newId(), text }));

  it('is read no further than its caller reads, ends when they leave, and is written for one caller twice at once', async () => {
    const { server, url, sent, responses, pages } = await serve('endless', () => fullPage('x'.repeat(2_000)));
    const callers = await Promise.all([1, 2].map(() => openedAt(url)));
    await waitFor('both connections are full', () => responses.every((response) => response.writableNeedDrain));
    // A page has a megabyte: what two connections take in is far less than this.
    expect(pages()).toBeLessThan(100);
    await (await fetch(url)).text();
    expect(await sent[2]).toMatchObject({ kind: 'too-many-requests' });
    for (const caller of callers) caller.destroy();
    expect(await Promise.all(sent.slice(0, 2))).toEqual([undefined, undefined]);
    const ended = (await entries('endless')).filter(({ action }) => action === 'export.ended');
    expect(ended).toMatchObject([{ facts: { whole: false } }, { facts: { whole: false } }]);
    server.close();
  });

  async function openedAt(url: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      get(url, (answer) => {
        answer.on('error', () => undefined);
        resolve(answer);
      }).on('error', reject);
    });
  }

  it('never looks whole when something goes wrong in the middle', async () => {
    const failure = new Problem('unavailable', 'The database is away.');
    const { server, url, sent } = await serve('broken', async (number) => {
      if (number === 3) throw failure;
      return fullPage();
    });
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(await sent[0]).toBe(failure);
    expect(await entries('broken')).toMatchObject([
      { action: 'export.started' },
      { action: 'export.ended', facts: { rows: 1_000, whole: false } },
    ]);
    server.close();
  });

  it('is refused as a problem when it can’t begin, and over HTTP/1.0, where its end shows nothing', async () => {
    const failure = new Problem('unavailable', 'The database is away.');
    const { server, url, port, sent } = await serve('never', () => Promise.reject(failure));
    expect((await fetch(url)).status).toBe(500);
    expect(await sent[0]).toBe(failure);
    const old = connect(port, '127.0.0.1', () => old.end('GET / HTTP/1.0\r\n\r\n')).resume();
    await new Promise((closed) => old.once('close', closed));
    expect(await sent[1]).toMatchObject({ kind: 'invalid-request', message: expect.stringContaining('HTTP/1.1') });
    expect(await entries('never')).toEqual([]);
    server.close();
  });
});
