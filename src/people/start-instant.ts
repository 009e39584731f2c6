import { DateTime, IANAZone } from 'luxon';
import { Problem } from '../platform/errors/problem.js';

/**
 * The instant at which a local date begins: the first one that carries this date, or, where the zone skipped the
 * whole date, a later one. Where clocks go forward at midnight (Beirut, Cairo) that is 01:00; where midnight comes
 * twice (Havana) it is the first of the two.
 *
 * @param date `YYYY-MM-DD`
 * @param zone IANA zone, e.g. `Europe/Berlin`; an offset such as `UTC+2` isn't one: it knows no daylight saving time
 * @throws Problem `invalid-request` when there is no such date or zone
 */
export function startOfLocalDay(date: string, zone: string): Date {
  const { year, month, day } = calendarDate(date);
  const start = DateTime.fromObject({ year, month, day }, { zone: knownZone(zone) });
  return earlierSameTime(start).toJSDate();
}

/**
 * The instant at which a local date is over, i.e. the next date begins: when somebody's last day ends.
 * Parameters and errors as for `startOfLocalDay`.
 */
export function endOfLocalDay(date: string, zone: string): Date {
  const { year, month, day } = calendarDate(date);
  const next = DateTime.utc(year, month, day).plus({ days: 1 });
  return startOfLocalDay(next.toFormat('yyyy-MM-dd'), zone);
}

/** The date that people in a zone write at an instant, as `YYYY-MM-DD`. */
export function localDate(instant: Date, zone: string): string {
  return DateTime.fromJSDate(instant, { zone: knownZone(zone) }).toFormat('yyyy-MM-dd');
}

export function isKnownZone(zone: string): boolean {
  // Luxon takes offsets (`UTC+2`) and `local` too; a place's name always holds letters and, but for UTC, a slash.
  if (KNOWN_ZONES.has(zone)) return true;
  const isZone = (zone === 'UTC' || /^[A-Za-z_]+\/[A-Za-z0-9_+\-/]+$/.test(zone)) && IANAZone.isValidZone(zone);
  if (isZone) KNOWN_ZONES.add(zone);
  return isZone;
}

function knownZone(zone: string): string {
  if (isKnownZone(zone)) return zone;
  throw new Problem('invalid-request', `“${zone}” is no time zone; write one like Europe/Berlin.`);
}

function calendarDate(date: string): { year: number; month: number; day: number } {
  const parsed = /^\d{4}-\d{2}-\d{2}$/.test(date) ? DateTime.fromISO(date, { zone: 'utc' }) : null;
  if (!parsed?.isValid) {
    throw new Problem('invalid-request', `“${date}” is no date; write one like 2026-03-29.`);
  }
  return { year: parsed.year, month: parsed.month, day: parsed.day };
}

/** Of a local time that comes twice, the first. */
function earlierSameTime(time: DateTime): DateTime {
  const [first] = time.getPossibleOffsets().toSorted((a, b) => a.toMillis() - b.toMillis());
  return first ?? time;
}

/** Asking for one anew takes as long as two statements of SQL, and every event names one. There are some 600. */
const KNOWN_ZONES = new Set<string>();
