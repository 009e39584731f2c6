import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import pg from 'pg';

export type BareNews = { news: 'ready' } | { news: 'over'; seconds: number; operations: number };

interface Step {
  id: string;
  caseId: string;
  personId: string;
  toolId: string;
  externalId: string;
}

/**
 * What an account operation costs at least, written as one would without a framework: `bare-loop-process <database>
 * <concurrency> <tool ids> <tool urls>`. The writes go into Quartermaster's own tables (their indexes, keys and triggers
 * cost both the same), each commit by itself: the intent; the outcome with the next intent; the step with its audit
 * entry. The calls are those that the SCIM connector makes for a suspension and its read-back, each conversation on a
 * connection of its own.
 */
const [, , databaseUrl = '', concurrency = '32', toolIds = '', toolUrls = ''] = process.argv;
const urlOf = new Map(toolIds.split(',').map((id, index) => [id, toolUrls.split(',')[index] ?? '']));
const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 });
const worker = randomUUID();

async function operate({ id, caseId, personId, toolId, externalId }: Step): Promise<void> {
  const [act, readBack] = [randomUUID(), randomUUID()];
  await pool.query({
    name: 'intent',
    text: `INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline)
     VALUES ($1, $2, $3, $4, 1, 'act', 'revoke', 1, $5, '{"act":"suspend_account"}', now() + interval '10 s')`,
    values: [act, id, personId, toolId, worker],
  });
  await converse(toolId, act, [
    ['GET', `/Users/${externalId}`],
    ['GET', '/ServiceProviderConfig'],
    ['PATCH', `/Users/${externalId}`],
  ]);
  await inTransaction(async (client) => {
    await client.query({
      name: 'outcome',
      text: `UPDATE attempts SET outcome = 'done', finished_at = clock_timestamp() WHERE id = $1`,
      values: [act],
    });
    await client.query({
      name: 'read-back',
      text: `INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline)
       VALUES ($1, $2, $3, $4, 2, 'read_back', 'revoke', 1, $5, '{"act":"suspend_account"}', now() + interval '10 s')`,
      values: [readBack, id, personId, toolId, worker],
    });
  });
  await converse(toolId, readBack, [['GET', `/Users/${externalId}`]]);
  await inTransaction(async (client) => {
    await client.query({
      name: 'outcome of read-back',
      text: `UPDATE attempts SET outcome = 'shown', finished_at = clock_timestamp() WHERE id = $1`,
      values: [readBack],
    });
    // From ready to done through the states that the database asks for.
    await client.query({
      name: 'step',
      text: `UPDATE steps SET state = 'running', lease_owner = $2, lease_until = now() WHERE id = $1`,
      values: [id, worker],
    });
    await client.query({
      name: 'step done',
      text: `UPDATE steps SET state = 'done', lease_owner = NULL, lease_until = NULL, confirmed_at = now(), ended_at = now() WHERE id = $1`,
      values: [id],
    });
    await client.query({
      name: 'audit',
      text: `INSERT INTO audit_entries (id, action, actor_kind, actor_id, subject_kind, subject_id, case_id, step_id, facts)
       VALUES ($1, 'step.done', 'system', 'system', 'person', $2, $3, $4, '{"act":"suspend_account"}')`,
      values: [randomUUID(), personId, caseId, id],
    });
  });
}

async function inTransaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await work(client);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

const SUSPENSION = JSON.stringify({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', path: 'active', value: false }],
});

async function converse(toolId: string, attempt: string, calls: readonly (readonly [string, string])[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  for (const [method, path] of calls) await call(agent, `${urlOf.get(toolId)}${path}`, method, attempt);
  agent.destroy();
}

function call(agent: Agent, url: string, method: string, attempt: string): Promise<void> {
  const body = method === 'PATCH' ? SUSPENSION : '';
  const headers = {
    authorization: 'Bearer only-in-benches',
    'x-request-id': attempt,
    ...(body && { 'content-type': 'application/json', 'content-length': String(body.length) }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.once('end', () => {
        JSON.parse(text);
        resolve();
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function run(steps: number): Promise<BareNews> {
  const { rows } = await pool.query<Step>(
    `SELECT s.id, s.case_id AS "caseId", s.person_id AS "personId", s.tool_id AS "toolId", a.external_id AS "externalId"
     FROM steps s JOIN accounts a ON a.id = s.account_id WHERE s.state = 'ready' AND s.due_at = 'infinity' LIMIT $1`,
    [steps],
  );
  const left = [...rows];
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: Number(concurrency) }, async () => {
      for (let step = left.pop(); step; step = left.pop()) await operate(step);
    }),
  );
  return { news: 'over', seconds: (performance.now() - startedAt) / 1000, operations: rows.length };
}

await pool.query(
  `INSERT INTO workers (id, lanes, host, pid, gone_at, left_at) VALUES ($1, '{bulk}', 'bench', $2, now(), now())`,
  [worker, process.pid],
);
process.on('disconnect', () => process.exit());
process.on('message', ({ steps }: { steps: number }) => void run(steps).then((news) => process.send?.(news)));
process.send?.({ news: 'ready' } satisfies BareNews);
