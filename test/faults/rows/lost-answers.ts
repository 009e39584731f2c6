import { waitFor } from '../../support/wait-for.js';
import type { SeenCall } from '../../support/fake-tool.js';
import type { Employee } from '../company.js';
import type { Fault, Scene } from '../fault.js';

interface Attempt {
  kind: string;
  outcome: string | null;
  errorKind: string | null;
}

/** All attempts of the step to which this one belongs, oldest first. */
async function attemptsBeside({ service }: Scene, attemptId: string | null): Promise<Attempt[]> {
  return service.rows<{ kind: string; outcome: string | null; errorKind: string | null }>(
    `SELECT a.kind, a.outcome, a.error_kind AS "errorKind" FROM attempts a
     WHERE a.step_id = (SELECT step_id FROM attempts WHERE id = $1) ORDER BY a.number`,
    [attemptId],
  );
}

/** Somebody of whom the service is about to ask this of tool 0; the answer begins it. */
async function prepare(
  { company }: Scene,
  what: 'create' | 'suspend' | 'reset',
): Promise<{ employee: Employee; begin: () => Promise<unknown> }> {
  const employee = company.newcomer();
  if (what === 'create') return { employee, begin: () => company.hire(employee) };
  await company.hire(employee);
  await company.untilAsItShould(employee);
  if (what === 'suspend') return { employee, begin: () => company.leaves(employee) };
  const lossId = await company.losesLaptop(employee);
  await company.untilAsItShould(employee);
  return { employee, begin: () => company.isRestored(employee, lossId) };
}

function swallowed(what: 'create' | 'suspend' | 'reset'): Fault {
  return {
    name: `the tool carries a ${what} out, and its answer is lost`,
    async run(scene) {
      const [tool] = scene.service.tools;
      const { employee, begin } = await prepare(scene, what);
      let swallowedCall: SeenCall | undefined;
      const isIt = (call: SeenCall): boolean => call.what === what && call.userName === employee.username;
      const over = tool.whenever((call) => isIt(call) && (swallowedCall ??= call) === call, { kind: 'swallow-answer' });
      try {
        await begin();
        await waitFor('the call is swallowed', () => swallowedCall, { withinMs: 30_000 });
        const attempts = await waitFor(
          'the caller gave it up and went on',
          async () => {
            const all = await attemptsBeside(scene, swallowedCall?.attemptId ?? null);
            return all.length > 1 && all;
          },
          { withinMs: 30_000, everyMs: 100 },
        );
        scene.promise(
          attempts[0]?.errorKind === 'ambiguous',
          `the lost answer counts as ${attempts[0]?.errorKind}, not as ambiguous`,
        );
        scene.promise(attempts[1]?.kind === 'read_back', `the next attempt is a ${attempts[1]?.kind}, not a read-back`);
        await scene.company.untilAsItShould(employee);
        const sent = tool.calls.filter(isIt).length;
        scene.say(`${sent} ${what} call${sent === 1 ? '' : 's'} sent in all`);
        // A reset that can't be shown is made again, under a password of its own; the others set what is there already.
        if (what !== 'reset') scene.promise(sent === 1, `the ${what} was sent ${sent} times`);
      } finally {
        over();
      }
    },
  };
}

export const lostAnswers: readonly Fault[] = [swallowed('create'), swallowed('suspend'), swallowed('reset')];

/** Row "success that is none": answers 200 and does nothing. */
function pretended(times: number, name: string): Fault {
  return {
    name,
    async run(scene) {
      const { service, company } = scene;
      const [tool] = service.tools;
      const { employee, begin } = await prepare(scene, 'suspend');
      let left = times;
      const over = tool.whenever(
        (call) => call.what === 'suspend' && call.userName === employee.username && (left -= 1) >= 0,
        { kind: 'pretend' },
      );
      try {
        await begin();
        await waitFor('the tool was believed or not', () => left < times, { withinMs: 30_000 });
        const pretendedCall = tool.calls.findLast(
          ({ what, userName }) => what === 'suspend' && userName === employee.username,
        );
        const isFailure = times > 10;
        const end = await waitFor(
          isFailure ? 'somebody is asked to see for themselves' : 'the account is revoked after all',
          async () => {
            const [step] = await service.rows<{ id: string; state: string; owner: string | null; alerts: number }>(
              `SELECT s.id, s.state, s.owner, (SELECT count(*)::int FROM alerts a WHERE a.step_id = s.id AND a.kind = 'needs_human'
                 AND a.resolved_at IS NULL) AS alerts
               FROM steps s WHERE s.id = (SELECT step_id FROM attempts WHERE id = $1)`,
              [pretendedCall?.attemptId],
            );
            return step?.state === (isFailure ? 'needs_human' : 'done') ? step : null;
          },
          { withinMs: 60_000, everyMs: 100 },
        );
        const attempts = await attemptsBeside(scene, pretendedCall?.attemptId ?? null);
        const contradicted = attempts.filter(({ outcome }) => outcome === 'contradicted').length;
        scene.say(`${contradicted} read-backs contradicted the tool`);
        scene.promise(contradicted > 0, 'a success that is none was believed (I1)');
        if (isFailure) {
          scene.promise(Boolean(end.owner) && end.alerts === 1, 'the failed revocation has no owner or no alert (I1)');
          over();
          await service.call('POST', `/v1/steps/${end.id}/retry`, {});
        }
        await company.untilAsItShould(employee);
      } finally {
        over();
      }
    },
  };
}

export const pretences: readonly Fault[] = [
  pretended(1, 'the tool says that it suspended an account, and did not'),
  pretended(1_000, 'the tool says so for ever'),
];
