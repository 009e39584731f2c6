import { accountsOf, proveDead, proveSuspended } from './access.js';
import { CaseSummary, HrEventSeen, PersonSeen } from './api-shapes.js';
import { joinEvent, leaveEvent } from './employee.js';
import { followCase } from './follow-case.js';
import type { Colleague } from './joins.js';
import { doManualTasks } from './manual-tasks.js';
import { within, type Stage } from './stage.js';
import { paint } from './terminal.js';

/** HR tells that they leave, at once; tells it twice; and then an old join arrives. */
export async function leaves(stage: Stage, { employee, personId, joinedAt, access }: Colleague): Promise<void> {
  const { company, hr, report, signal, terminal } = stage;
  report.begin(`4  ${employee.displayName} leaves`, 'at once, with a database session open');
  const session = await company.analytics.logIn(access.analytics.username, access.analytics.password);

  const leftAt = new Date();
  const leave = hr.message(leaveEvent(employee, leftAt));
  const postedAt = performance.now();
  const { id, outcome, caseId } = await hr.post(leave);
  report.prove('HR posts a signed webhook: 202, applied', outcome === 'applied' && caseId !== null, {
    outcome,
    caseId,
  });
  const seen = await followCase(stage, caseId ?? '');
  const cutAt = await within(10_000, 'the live session is cut', session.cut, signal);
  report.prove('the live session died', cutAt > postedAt, {}, cutAt - postedAt);
  report.measure('leaverSessionCutMs', cutAt - postedAt);
  report.measure('leaverRevokedMs', performance.now() - postedAt);
  await doManualTasks(stage, seen, 'Badge returned and destroyed.');
  await proveGone(stage, personId);
  await proveDead(stage, access, 'the newest');
  await proveSuspended(stage, access);

  const before = await standing(stage, personId);
  terminal.item(paint('dim', '·'), 'HR repeats the same webhook');
  const again = await hr.post(leave);
  const events = await hrEvents(stage, personId);
  const deliveries = events.find(({ eventId }) => eventId === leave.id)?.deliveries;
  report.prove(
    'the repeat is the same event, counted twice; nothing changed',
    again.id === id && deliveries === 2 && before === (await standing(stage, personId)),
    {
      deliveries,
      again,
    },
  );

  // Between the join and the leave, as its signed body says: a queue at the sender's held it back.
  const inBetween = new Date((joinedAt.getTime() + leftAt.getTime()) / 2);
  terminal.item(
    paint('dim', '·'),
    'a join arrives late: a fresh webhook id and timestamp, an older time in its signed body',
  );
  const late = await hr.post(hr.message(joinEvent(employee, inBetween)));
  report.prove(
    `kept as ${late.outcome}: ${late.reason ?? 'no reason given'}`,
    late.outcome === 'outdated' && late.caseId === null,
    { late },
  );
  report.prove('it changed nothing: no new case, no new intention', before === (await standing(stage, personId)));
  await proveDead(stage, access, 'the newest');
  await proveSuspended(stage, access);
  report.keepHrEvents(await hrEvents(stage, personId));
}

async function proveGone(stage: Stage, personId: string): Promise<void> {
  const person = await stage.api.get(`/v1/people/${personId}`, PersonSeen);
  const accounts = await accountsOf(stage, personId);
  stage.report.note({ accounts });
  const states = accounts.map(({ username, observedState, observedSource }) => ({
    username,
    observedState,
    observedSource,
  }));
  stage.report.prove(
    `${accounts.length} accounts revoked and read back; the person has left`,
    person.status === 'left' &&
      accounts.length === Object.keys(stage.tools).length &&
      accounts.every(({ observedState }) => observedState === 'suspended'),
    { status: person.status, states },
  );
}

/** All that an event could have changed about a person, as one text to compare. */
async function standing({ api }: Stage, personId: string): Promise<string> {
  const person = await api.get(`/v1/people/${personId}`, PersonSeen);
  const cases = await api.list(`/v1/cases?personId=${personId}`, CaseSummary);
  return JSON.stringify({ person, cases });
}

async function hrEvents({ api }: Stage, personId: string): Promise<HrEventSeen[]> {
  return api.list(`/v1/hr-events?personId=${personId}`, HrEventSeen);
}
