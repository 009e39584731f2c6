// Preloaded by every worker under test (`NODE_OPTIONS=--import …`). It reads its orders from the file QM_ORDERS, anew
// whenever that changes, and does to its own process what they say at an exact place of a step. An order that is to be
// carried out once is taken by making its ticket: of several workers one succeeds.
import diagnostics from 'node:diagnostics_channel';
import { readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';

const file = process.env.QM_ORDERS;
let orders = [];
let version = '';

function currentOrders() {
  try {
    const { mtimeMs, ino } = statSync(file);
    if (version !== `${mtimeMs} ${ino}`) {
      orders = JSON.parse(readFileSync(file, 'utf8'));
      version = `${mtimeMs} ${ino}`;
    }
  } catch {
    orders = [];
  }
  return orders;
}

function isMeant(order, step) {
  return ['phase', 'act', 'attemptKind', 'lane', 'stepId', 'personId'].every(
    (key) => order[key] === undefined || order[key] === step[key],
  );
}

function take({ ticket }, step) {
  const { stepId, personId, attemptId, attemptNumber, act } = step;
  const taken = JSON.stringify({ pid: process.pid, at: Date.now(), stepId, personId, attemptId, attemptNumber, act });
  try {
    writeFileSync(ticket, taken, { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

function inflict(fault) {
  if (fault === 'loop') for (;;);
  // Nobody catches it: the process ends, as by any other mistake of ours.
  if (fault === 'throw') throw new Error('a planted mistake');
  if (fault === 'eat memory') for (const eaten = []; ;) eaten.push(Array.from({ length: 10_000 }, () => ({})));
  process.kill(process.pid, fault);
}

diagnostics.subscribe('quartermaster.step', (step) => {
  for (const order of currentOrders()) {
    if (!isMeant(order, step)) continue;
    const isFirst = take(order, step);
    if (order.once && !isFirst) continue;
    writeSync(1, `fault: ${order.fault} at "${step.phase}" of ${step.act} ${step.stepId}\n`);
    inflict(order.fault);
  }
});
