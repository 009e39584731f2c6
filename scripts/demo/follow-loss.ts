import { setTimeout as pause } from 'node:timers/promises';
import { LossSeen } from './api-shapes.js';
import { NotProved } from './report.js';
import type { Stage } from './stage.js';

const LIMIT_MS = 20_000;
const LOOK_EVERY_MS = 60;

/** Waits until a loss is as it should be. @throws {NotProved} when it isn't by then */
export async function untilLoss(
  { admin, signal }: Pick<Stage, 'admin' | 'signal'>,
  caseId: string,
  what: string,
  isSo: (loss: LossSeen) => boolean,
): Promise<LossSeen> {
  const startedAt = performance.now();
  for (;;) {
    const loss = await admin.get(`/v1/lost-devices/${caseId}`, LossSeen);
    if (isSo(loss)) return loss;
    if (performance.now() - startedAt > LIMIT_MS) {
      const problems = loss.commands.map(({ kind, state, problem }) => `${kind}: ${state}. ${problem ?? ''}`);
      throw new NotProved(`${what}: it didn't happen within ${LIMIT_MS / 1_000} s. ${problems.join(' ')}`);
    }
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

/**
 * The newest order of a loss, once its device manager showed it done and somebody said so, which the service holds against
 * what the manager shows then.
 */
export async function seeOrderThrough(
  stage: Pick<Stage, 'admin' | 'signal'>,
  caseId: string,
  note: string,
): Promise<LossSeen['commands'][number]> {
  const { commands } = await untilLoss(
    stage,
    caseId,
    'the device manager shows the order done',
    (loss) => loss.commands.at(-1)?.state === 'acknowledged',
  );
  const id = commands.at(-1)?.id;
  const path = `/v1/lost-devices/${caseId}/commands/${id}/progress`;
  const loss = await stage.admin.post(path, { state: 'verified', note }, LossSeen);
  const order = loss.commands.at(-1);
  if (!order) throw new NotProved('the order is on record');
  return order;
}
