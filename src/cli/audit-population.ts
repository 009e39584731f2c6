import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { CASE_KINDS } from '../cases/step-states.js';
import { csvLine } from '../platform/csv/csv-line.js';
import { queryRows } from '../platform/database/query-rows.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand } from './command.js';

interface PopulationRow {
  id: string;
  personId: string;
  heardAt: Date | null;
  openedAt: Date;
  closedAt: Date | null;
  cutAt: Date | null;
  steps: number;
  done: number;
  open: number;
}

const COLUMNS = [
  'case_id',
  'person_id',
  'hr_received_at',
  'opened_at',
  'last_cut_confirmed_at',
  'closed_at',
  'steps',
  'done',
  'not_done',
  'sample',
];

/** `audit population`: all cases of a period, and a random sample that anybody can draw again. */
export const addAuditPopulation: AddCommand = (audit, { out, note, withDatabase }) => {
  audit
    .command('population')
    .description('list all cases of a period as CSV, for an auditor, with a random sample marked')
    .requiredOption('--from <date>', 'first day, UTC, as in 2026-10-01')
    .requiredOption('--to <date>', 'last day, UTC')
    .option('--kind <kind>', `which cases: ${CASE_KINDS.join(', ')}`, 'leaver')
    .option('--sample <number>', 'how many to draw', '0')
    .option('--seed <text>', 'to draw the same sample again')
    .addHelpText(
      'after',
      `
The sample: the cases with the smallest SHA-256 of "<seed> <case id>". Whoever has the list and the seed can draw it again.`,
    )
    .action(async (options: Record<string, string | undefined>) => {
      const wish = Wish.safeParse(options);
      if (!wish.success)
        throw new CommandFailure(wish.error.issues.map(({ message }) => message).join(' '), EXIT.usage);
      const { from, to, kind, sample, seed } = wish.data;
      await withDatabase(async (db) => {
        const rows = await queryRows<PopulationRow>(db, POPULATION, [kind, from, to]);
        const drawn = drawSample(rows, sample, seed);
        out(csvLine(COLUMNS));
        for (const row of rows) {
          const { id, personId, heardAt, openedAt, cutAt, closedAt, steps, done, open } = row;
          const times = [heardAt, openedAt, cutAt, closedAt].map((time) => time?.toISOString() ?? null);
          out(csvLine([id, personId, ...times, steps, done, open, drawn.has(row) ? 'x' : null]));
        }
        const [logged] = await queryRows<{ count: number }>(db, LOGGED, [kind, from, to]);
        note(`${rows.length} cases; the audit log tells of ${logged?.count ?? 0} that were opened in these days.`);
        if (sample > 0) note(`sample of ${drawn.size}, drawn with --seed ${seed}`);
      });
    });
};

const Wish = z.object({
  from: z.iso.date({ error: '--from takes a day, as in 2026-10-01.' }),
  to: z.iso.date({ error: '--to takes a day, as in 2026-12-31.' }),
  kind: z.enum(CASE_KINDS, { error: `--kind is one of ${CASE_KINDS.join(', ')}.` }),
  sample: z.coerce
    .number({ error: '--sample takes a number.' })
    .int('--sample takes a number.')
    .nonnegative('--sample takes a number.'),
  seed: z
    .string()
    .min(1)
    .default(() => randomUUID()),
});

/** Days are UTC's; the second one is meant with its whole length. */
const WITHIN = (column: string) =>
  `${column} >= $2::date::timestamp AT TIME ZONE 'UTC' AND ${column} < ($3::date + 1)::timestamp AT TIME ZONE 'UTC'`;

const POPULATION = `
  SELECT c.id, c.person_id AS "personId", c.opened_at AS "openedAt", c.closed_at AS "closedAt",
    (SELECT max(e.received_at) FROM inbox_events e
     WHERE e.case_id = c.id OR (e.person_id = c.person_id AND e.outcome = 'scheduled' AND e.received_at <= c.opened_at)) AS "heardAt",
    max(s.confirmed_at) FILTER (WHERE s.effect = 'revoke') AS "cutAt", count(s.id)::int AS steps,
    (count(*) FILTER (WHERE s.state = 'done'))::int AS done,
    (count(*) FILTER (WHERE s.state NOT IN ('done', 'superseded')))::int AS open
  FROM cases c LEFT JOIN steps s ON s.case_id = c.id
  WHERE c.kind = $1 AND ${WITHIN('c.opened_at')} GROUP BY c.id ORDER BY c.opened_at, c.id`;

const LOGGED = `
  SELECT count(*)::int AS count FROM audit_entries
  WHERE action = 'case.opened' AND facts ->> 'kind' = $1 AND leaf_index IS NOT NULL AND ${WITHIN('at')}`;

function drawSample(rows: readonly PopulationRow[], count: number, seed: string): ReadonlySet<PopulationRow> {
  const lot = ({ id }: PopulationRow) => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  const drawn = rows.map((row) => ({ row, lot: lot(row) })).toSorted((a, b) => (a.lot < b.lot ? -1 : 1));
  return new Set(drawn.slice(0, count).map(({ row }) => row));
}
