import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Delivery } from '../company.js';
import type { Fault, Scene } from '../fault.js';
import { eventsMeanwhile } from './postgres-gone.js';

const HOLD_MS = 6_000;

const lockedRows: Fault = {
  name: 'somebody holds locks on tools’ budgets and on people for 6 s',
  async run(scene) {
    const { service } = scene;
    const employee = await scene.company.joins();
    const personId = await scene.company.personIdOf(employee);
    await service.installation.postgres.asSuperuser(service.database, async (client) => {
      await client.query('BEGIN');
      await client.query(`SELECT 1 FROM tool_budgets WHERE share = 'shared' FOR UPDATE`);
      await client.query(`SELECT 1 FROM people WHERE id = $1 FOR UPDATE`, [personId]);
      const until = pause(HOLD_MS);
      const leave = scene.company.leaves(employee);
      await scene.loseALaptop();
      await until;
      await client.query('ROLLBACK');
      await leave;
    });
    await scene.company.untilAsItShould(employee);
  },
};

const IDLE = 300;

const noConnections: Fault = {
  name: '300 idle connections take all that PostgreSQL has, for 8 s',
  async run(scene) {
    const { service } = scene;
    const idle: pg.Client[] = [];
    let refused = 0;
    const connections = Array.from({ length: IDLE }, async () => {
      const client = new pg.Client({ connectionString: service.databaseUrl, connectionTimeoutMillis: 5_000 });
      client.on('error', () => undefined);
      await client.connect().then(
        () => idle.push(client),
        () => (refused += 1),
      );
    });
    await Promise.all(connections);
    scene.say(`${idle.length} idle connections, ${refused} refused`);
    scene.promise(refused > 0, 'PostgreSQL had connections left: the fault was none');
    try {
      const until = pause(8_000);
      await scene.loseALaptop();
      await until;
    } finally {
      await Promise.all(idle.map((client) => client.end().catch(() => undefined)));
    }
    await scene.service.untilWell();
  },
};

/** A trigger that makes statements on a table fail; taken away at the end. */
async function withTrigger(
  scene: Scene,
  table: string,
  when: string,
  body: string,
  during: () => Promise<void>,
): Promise<void> {
  const { service } = scene;
  const { postgres } = service.installation;
  await postgres.asSuperuser(service.database, async (client) => {
    await client.query(
      `CREATE FUNCTION planted_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$`,
    );
    await client.query(
      `CREATE TRIGGER planted_fault BEFORE ${when} ON ${table} FOR EACH ROW EXECUTE FUNCTION planted_fault()`,
    );
  });
  try {
    await during();
  } finally {
    await postgres.asSuperuser(service.database, (client) => client.query(`DROP FUNCTION planted_fault() CASCADE`));
  }
}

const serialization: Fault = {
  name: 'one in ten changes of a step fails to serialize, for 6 s',
  async run(scene) {
    const body = `IF random() < 0.1 THEN RAISE EXCEPTION 'planted' USING ERRCODE = 'serialization_failure'; END IF;`;
    const newcomers = [scene.company.newcomer(), scene.company.newcomer(), scene.company.newcomer()];
    await withTrigger(scene, 'steps', 'UPDATE', body, async () => {
      const until = pause(6_000);
      await Promise.all(newcomers.map((one) => scene.company.hire(one)));
      await scene.loseALaptop();
      await until;
    });
    await Promise.all(newcomers.map((one) => scene.company.untilAsItShould(one)));
  },
};

export const postgresCrowded: readonly Fault[] = [lockedRows, noConnections, serialization];

/** What there is of events whose decision failed as a whole: nothing. */
async function leftovers({ service }: Scene, refused: readonly Delivery[]): Promise<string[]> {
  const kept = await service.rows(`SELECT 1 FROM inbox_events WHERE event_id = ANY($1)`, [
    refused.map(({ webhookId }) => webhookId),
  ]);
  // Joins alone: somebody else's event is about a person who was there before.
  const joins = refused.filter(({ type }) => type === 'employee.joined').map(({ about }) => about);
  const people = await service.rows(
    `SELECT 1 FROM employments e JOIN people p ON p.id = e.person_id WHERE e.source_id = ANY($1)
       AND p.created_at > now() - interval '1 minute' AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.person_id = p.id)`,
    [joins],
  );
  return [
    ...(kept.length > 0 ? [`${kept.length} events were kept although their decision failed (I6)`] : []),
    ...(people.length > 0 ? [`${people.length} people were kept although the decision about them failed (I6)`] : []),
  ];
}

export function refusedInsert(table: string, forMs = 5_000): Fault {
  return {
    name: `every INSERT into ${table} fails for ${forMs / 1_000} s`,
    async run(scene) {
      const { company } = scene;
      const first = company.deliveries.length;
      await eventsMeanwhile(scene, () =>
        withTrigger(scene, table, 'INSERT', `RAISE EXCEPTION 'planted';`, async () => {
          await pause(forMs);
          if (table === 'attempts') return;
          const refused = company.deliveries
            .slice(first)
            .filter(({ answers }) => answers.length > 0 && answers.every(({ status }) => status >= 500));
          scene.promise(refused.length > 0, 'no webhook met the fault');
          scene.broken.push(...(await leftovers(scene, refused)));
        }),
      );
    },
  };
}

export const refusedWrites: readonly Fault[] = [
  refusedInsert('audit_entries'),
  refusedInsert('steps'),
  refusedInsert('attempts'),
];
