const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** From the largest unit that fits, with the instant from which on it is used. */
const UNITS = [
  ['day', DAY, 2 * DAY],
  ['hour', HOUR, 2 * HOUR],
  ['minute', MINUTE, 2 * MINUTE],
  ['second', SECOND, 0],
] as const;

/** As in `3 hours ago` and `in 14 minutes`; rounded towards the longer age, so that nothing is told younger than it is. */
export function relativeTime(instant: number, now: number, locale: string): string {
  const distance = instant - now;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'long' });
  const [unit, length] = UNITS.find(([, , from]) => Math.abs(distance) >= from) ?? UNITS[3];
  const count = distance < 0 ? Math.floor(distance / length) : Math.ceil(distance / length);
  return format.format(unit === 'second' && Math.abs(count) < 1 ? 0 : count, unit);
}

/** As in `Mon 23 Nov 2026, 14:05:00.2 CET (Europe/Berlin)`. */
export function exactTime(instant: number, locale: string, zone: string): string {
  const format = new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 1,
    hourCycle: 'h23',
    timeZone: zone,
    timeZoneName: 'short',
  });
  return `${format.format(instant)} (${zone})`;
}

/** A length of time to be read at a glance: `0.3 s`, `41 s`, `3 min 5 s`, `2 h 10 min`, `4 d 2 h`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return twoUnits(ms, MINUTE, 'min', SECOND, 's');
  if (ms < DAY) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const count = Math.floor(ms / large);
  const rest = Math.floor((ms % large) / small);
  return rest === 0 ? `${count} ${largeName}` : `${count} ${largeName} ${rest} ${smallName}`;
}

/** How long until what is shown of this instant changes, in milliseconds. */
export function staysTheSame(instant: number, now: number): number {
  const distance = Math.abs(instant - now);
  if (distance < 2 * MINUTE) return SECOND;
  return distance < 2 * HOUR ? 15 * SECOND : 5 * MINUTE;
}
