import type { Person } from '../../api/types.js';
import type { Tone } from '../../states/step-states.js';
import { text } from '../../text/text.js';

const SHAPES = {
  expected: { shape: '○', tone: 'waiting' },
  active: { shape: '●', tone: 'waiting' },
  left: { shape: '⊘', tone: 'over' },
} as const satisfies Record<Person['status'], { shape: string; tone: Tone }>;

/** Whether somebody works here is no state of access, so it is never green. */
export function statusLooks(status: Person['status']): { shape: string; tone: Tone; word: string } {
  return { ...SHAPES[status], word: text.people.status[status] };
}
