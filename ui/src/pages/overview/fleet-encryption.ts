import type { FleetEncryption } from '../../api/types.js';
import { text } from '../../text/text.js';

type State = FleetEncryption['states'][number];

const DAY = 86_400;

/** How old knowledge is, as the list of devices filters it: younger than so many seconds; null: older than all of them. */
export const AGES = [
  ['day', DAY],
  ['week', 7 * DAY],
  ['month', 30 * DAY],
  ['older', null],
] as const;

type Age = (typeof AGES)[number][0];

/** Of one state: how many of each age. The server's spans are as fine as these, or finer. */
export function byAge({ ages }: State): Record<Age, number> {
  const counts = { day: 0, week: 0, month: 0, older: 0 };
  for (const { youngerThanSeconds: limit, devices } of ages) {
    const [age] = AGES.find(([, until]) => until === null || (limit !== null && limit <= until)) ?? AGES[3];
    counts[age] += devices;
  }
  return counts;
}

/** How many there are of each age over all states; of `never` nobody ever got an answer. */
export function ageCounts(fleet: FleetEncryption): { age: Age | 'never'; devices: number }[] {
  const counts = fleet.states.map(byAge);
  const seen = AGES.map(([age]) => ({ age, devices: counts.reduce((sum, of) => sum + of[age], 0) }));
  const known = seen.reduce((sum, { devices }) => sum + devices, 0);
  return [...seen, { age: 'never', devices: fleet.devices - known }];
}

/** As in `91 %`. What isn't all of them is never told as all, and what is some never as none. */
export function shareInWords(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  if (percent > 0 && percent < 1) return text.overview.underPercent(1);
  if (percent > 99 && percent < 100) return text.overview.overPercent(99);
  return text.overview.percent(Math.round(percent));
}
