import type { ReactNode } from 'react';
import { exactTimes, usePreference } from '../preferences.js';
import { text } from '../text/text.js';
import { exactTime, relativeTime, staysTheSame } from './relative-time.js';
import { serverNow } from './server-clock.js';
import { useNow } from './use-now.js';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** How long ago, or how far ahead; the exact instant and its zone on hover, or for whoever wants them everywhere. */
export function Instant({ at }: { at: string }): ReactNode {
  const instant = Date.parse(at);
  const isExact = usePreference(exactTimes);
  const now = useNow(isExact ? null : staysTheSame(instant, serverNow()));
  const exact = exactTime(instant, text.locale, ZONE);
  return (
    <time dateTime={at} title={exact}>
      {isExact ? exact : relativeTime(instant, now, text.locale)}
    </time>
  );
}

/** The clock's own time, for timelines; the date and its zone are told on hover, as an age is beside it. */
export function ClockTime({ at }: { at: string }): ReactNode {
  const instant = Date.parse(at);
  const format = new Intl.DateTimeFormat(text.locale, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 1,
    hourCycle: 'h23',
  });
  return (
    <time dateTime={at} title={exactTime(instant, text.locale, ZONE)}>
      {format.format(instant)}
    </time>
  );
}

/** What the clock shows now in a zone, as in `09:14`; null for a zone that this browser doesn't know. */
export function clockIn(zone: string, now: number): string | null {
  try {
    const format = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone } as const;
    return new Intl.DateTimeFormat(text.locale, format).format(now);
  } catch {
    return null;
  }
}
