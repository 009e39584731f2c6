import {
  listAt,
  readDocument,
  textAt,
  type Mistake,
  type Place,
  type ReadDocument,
} from '../../platform/documents/read-document.js';
import { RUNBOOK, TASK_ENDINGS, type Runbook } from './runbook-schema.js';

/** Reads a runbook file. */
export function parseRunbook(text: string): ReadDocument<Runbook> {
  return readDocument(text, { schema: RUNBOOK, knownKeys: KNOWN_KEYS, check: checkTasks });
}

const TASK_SHAPE = RUNBOOK.shape.tasks.element.shape;
const CONTAINMENT_SHAPE = RUNBOOK.shape.containment.shape;
const KNOWN_KEYS: Partial<Record<string, string[]>> = {
  '': Object.keys(RUNBOOK.shape),
  scope: Object.keys(RUNBOOK.shape.scope.shape),
  tasks: Object.keys(TASK_SHAPE),
  containment: Object.keys(CONTAINMENT_SHAPE),
  'containment.rows': Object.keys(CONTAINMENT_SHAPE.rows.element.shape),
  'containment.rows.when': Object.keys(CONTAINMENT_SHAPE.rows.element.shape.when.shape),
};

/** Two tasks of one name can't be told apart; and a loss that is never cut, decided and assessed isn't a runbook's. */
function checkTasks(content: unknown, place: Place): Mistake[] {
  const tasks = listAt(content, 'tasks');
  return [...repeated(tasks, 'id', place), ...repeated(tasks, 'ends', place), ...missing(tasks, place)];
}

function repeated(tasks: readonly unknown[], key: 'id' | 'ends', place: Place): Mistake[] {
  const names = tasks.map((task) => textAt(task, key)?.trim());
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (!name || first === index) return [];
    const { line } = place(['tasks', first, key], 'value');
    const message =
      key === 'id'
        ? `There is a task “${name}” already, in line ${line}.`
        : `The task in line ${line} ends by “${name}” already.`;
    return [{ ...place(['tasks', index, key], 'value'), message }];
  });
}

function missing(tasks: readonly unknown[], place: Place): Mistake[] {
  const there = new Set(tasks.map((task) => textAt(task, 'ends')));
  return TASK_ENDINGS.filter((ending) => !there.has(ending)).map((ending) => ({
    ...place(['tasks'], 'key'),
    message: `No task ends by “${ending}”: every loss has to come to it.`,
  }));
}
