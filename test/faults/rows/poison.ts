import { waitFor } from '../../support/wait-for.js';
import type { Fault } from '../fault.js';
import type { GivenOrder, Order } from '../stage/orders.js';

/** Two crashes in company, three alone: that convicts a step. */
const CRASHES = 5;

/** A step that does this to every worker that touches it. */
function poison(name: string, fault: Order['fault'], patienceMs: number): Fault {
  return {
    name,
    async run(scene) {
      const { service, company } = scene;
      const victim = await company.joins();
      await company.untilAsItShould(victim);
      const given = await service.orders.give({
        phase: 'sending',
        act: 'suspend_account',
        personId: await company.personIdOf(victim),
        fault,
        once: false,
      });
      // Which of the person's accounts it is that kills is known when the first worker died of one.
      const before = service.workers.map(({ endings }) => endings.length);
      let poisoned;
      let narrower: GivenOrder | undefined;
      try {
        await company.leaves(victim);
        const { stepId } = await given.taken(30_000);
        poisoned = stepId;
        narrower = await service.orders.give({ phase: 'sending', stepId, fault, once: false });
        await given.cancel();
        const bystanders = [await company.joins(), await company.joins()];
        const quarantined = await waitFor(
          'the poisonous step is quarantined',
          async () => {
            const rows = await service.rows<{
              id: string;
              reason: string;
              owner: string;
              lone: number;
              alerts: number;
            }>(
              `SELECT s.id, s.reason, s.owner, s.lone_crashes AS lone, (SELECT count(*)::int FROM alerts a
                 WHERE a.step_id = s.id AND a.kind = 'needs_human' AND a.resolved_at IS NULL) AS alerts
               FROM steps s WHERE s.state = 'needs_human'`,
            );
            return rows.length > 0 && rows;
          },
          { withinMs: patienceMs, everyMs: 100 },
        );
        await narrower.cancel();
        scene.promise(
          quarantined.length === 1 && quarantined[0]?.id === stepId,
          `${quarantined.length} steps were quarantined: ${quarantined.map(({ reason }) => reason).join('; ')}`,
        );
        const lone = quarantined[0]?.lone ?? 0;
        // A loop may have caught two workers at once, the second after the first one's lease lapsed.
        scene.promise(lone >= 3 && lone <= 4, `it was convicted after ${lone} lone crashes`);
        scene.promise(quarantined[0]?.owner !== '' && quarantined[0]?.alerts === 1, 'it has no owner or no alert');
        const crashes = service.workers.reduce(
          (sum, { endings }, index) => sum + endings.length - (before[index] ?? 0),
          0,
        );
        scene.say(`${crashes} workers died of it, then it was quarantined`);
        scene.promise(crashes >= CRASHES, `it was convicted after ${crashes} crashes`);
        const ends = service.workers.flatMap(({ endings }, index) =>
          endings.slice(before[index]).map(({ how }) => how),
        );
        scene.say(`they ended by ${[...new Set(ends)].join(' and ')}`);
        if (fault === 'loop')
          scene.promise(ends.includes('SIGKILL'), 'nobody ended a worker whose event loop was stuck (I9)');
        await service.untilWell();
        await Promise.all(bystanders.map((one) => company.untilAsItShould(one)));
        scene.say('the others went on');
      } finally {
        await given.cancel();
        await narrower?.cancel();
      }
      await service.call('POST', `/v1/steps/${poisoned}/retry`, {});
      await company.untilAsItShould(victim);
    },
  };
}

export const poisonousSteps: readonly Fault[] = [
  poison('a step makes its worker throw', 'throw', 60_000),
  poison('a step eats its worker’s memory', 'eat memory', 120_000),
  poison('a step makes its worker loop', 'loop', 180_000),
];
