import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Case } from '../../src/cases/case.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { InboxEvent } from '../../src/hr-feeds/inbox-event.entity.js';
import { Employment } from '../../src/people/employment.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { anAccessPolicy } from '../factories/access-policies.js';
import { anHrEmployee, hasJoined, hasLeft } from '../factories/hr-events.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';
import { openLink, type FaultyLink } from '../platform/faulty-link.js';
import { waitFor } from '../support/wait-for.js';

let service: ServiceApp;
let link: FaultyLink;
/** Past the link, for looking on while it is cut. */
let admin: pg.Client;

beforeEach(async () => {
  link = await openLink();
  service = await startServiceApp({
    policy: anAccessPolicy({ rules: [{ name: 'everyone', tools: [{ tool: 'chat' }] }] }),
    reroute: (url) => link.through(url),
  });
  await aTool(service.db.manager, { key: 'chat', connector: 'scim' });
  admin = new pg.Client(service.database.superuserUrl);
  await admin.connect();
});
afterEach(async () => {
  await link?.mend();
  await admin?.end();
  await service?.close();
  await link?.close();
});

async function nothingIsKept(): Promise<void> {
  for (const entity of [InboxEvent, Person, Employment, Case, Step]) {
    expect([entity.name, await service.db.manager.count(entity)]).toEqual([entity.name, 0]);
  }
}

/** From now on nothing can be written there, as when a disk is full or a constraint is violated. */
async function refuseInsertsInto(table: string, when = 'true'): Promise<() => Promise<void>> {
  await admin.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not in this test'; END $$`,
  );
  await admin.query(
    `CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION refuse()`,
  );
  return async () => void (await admin.query(`DROP FUNCTION refuse CASCADE`));
}

describe('an event of which a part can not be written', () => {
  it.each([
    ['its audit entry', 'audit_entries', `NEW.action = 'hr-event.received'`],
    ['the audit entry of its case', 'audit_entries', `NEW.action = 'case.opened'`],
    ['its steps', 'steps', 'true'],
    ['its employment', 'employments', 'true'],
  ])('%s: is answered 5xx, leaves nothing behind, and takes effect when it comes again', async (_what, table, when) => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    const relent = await refuseInsertsInto(table, when);
    const { status, body } = await service.post(hasJoined(employee), { webhookId });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('not in this test');
    await nothingIsKept();
    await relent();
    const again = await service.post(hasJoined(employee), { webhookId }).expect(202);
    expect(again.body.outcome).toBe('applied');
    expect(await service.db.manager.countBy(Step, { caseId: again.body.caseId })).toBe(1);
    expect(await service.db.manager.findBy(InboxEvent, { eventId: webhookId })).toMatchObject([{ deliveries: 1 }]);
  });

  it('a leave: is answered 5xx, and the person is still in with all that they had', async () => {
    const employee = anHrEmployee();
    const { body: join } = await service.post(hasJoined(employee)).expect(202);
    const before = await service.db.manager.find(Step);
    await refuseInsertsInto('steps');
    await service.post(hasLeft(employee)).expect(500);
    expect(await service.db.manager.find(Person)).toMatchObject([{ status: 'active' }]);
    expect(await service.db.manager.find(Step)).toEqual(before);
    expect(await service.db.manager.find(Case)).toMatchObject([{ id: join.caseId, state: 'open' }]);
    expect(await service.db.manager.find(InboxEvent)).toHaveLength(1);
  });
});

describe('while the database is away', () => {
  it('an event is answered 503, never 2xx, and is taken when it comes again', async () => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    await link.cut();
    for (let tries = 0; tries < 3; tries += 1) {
      const answer = await service.post(hasJoined(employee), { webhookId }).expect(503);
      expect(answer.body.type).toBe('/problems/unavailable');
      expect(answer.headers['retry-after']).toBeDefined();
    }
    await link.mend();
    await nothingIsKept();
    await service.post(hasJoined(employee), { webhookId }).expect(202);
  });

  it('an event is answered 503 when the database goes in the middle of it, and leaves nothing behind', async () => {
    const employee = anHrEmployee();
    const webhookId = `msg_${randomUUID()}`;
    // Its transaction has to wait at the last thing that it writes.
    await admin.query('BEGIN');
    await admin.query('LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE');
    const answer = service.post(hasJoined(employee), { webhookId }).then(({ status }) => status);
    await waitFor('the event waits for the audit log', async () => {
      const { rowCount } = await admin.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return rowCount === 1;
    });
    await link.cut();
    expect(await answer).toBe(503);
    await admin.query('COMMIT');
    await link.mend();
    await waitFor('the broken transaction is over', async () => {
      const { rowCount } = await admin.query(
        `SELECT FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()`,
      );
      return rowCount === 0;
    });
    await nothingIsKept();
    const again = await service.post(hasJoined(employee), { webhookId }).expect(202);
    expect(again.body.outcome).toBe('applied');
  });
});
