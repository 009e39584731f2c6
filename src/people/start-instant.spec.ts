import { describe, expect, it } from 'vitest';
import { endOfLocalDay, isKnownZone, localDate, startOfLocalDay } from './start-instant.js';

describe('startOfLocalDay', () => {
  it.each([
    ['2026-01-15', 'Europe/Berlin', '2026-01-14T23:00:00.000Z'],
    ['2026-07-15', 'Europe/Berlin', '2026-07-14T22:00:00.000Z'],
    ['2026-03-01', 'UTC', '2026-03-01T00:00:00.000Z'],
    ['2026-03-01', 'Asia/Kathmandu', '2026-02-28T18:15:00.000Z'],
    ['2026-03-01', 'America/Argentina/Buenos_Aires', '2026-03-01T03:00:00.000Z'],
    ['2028-02-29', 'Pacific/Auckland', '2028-02-28T11:00:00.000Z'],
  ])('%s in %s begins at %s', (date, zone, instant) => {
    expect(startOfLocalDay(date, zone).toISOString()).toBe(instant);
  });

  it('begins before the change on the days when clocks go forward or back at night', () => {
    expect(startOfLocalDay('2026-03-29', 'Europe/Berlin').toISOString()).toBe('2026-03-28T23:00:00.000Z');
    expect(startOfLocalDay('2026-10-25', 'Europe/Berlin').toISOString()).toBe('2026-10-24T22:00:00.000Z');
  });

  it('begins at one o’clock where clocks skip midnight', () => {
    expect(startOfLocalDay('2018-11-04', 'America/Sao_Paulo').toISOString()).toBe('2018-11-04T03:00:00.000Z');
    expect(startOfLocalDay('2025-04-25', 'Africa/Cairo').toISOString()).toBe('2025-04-24T22:00:00.000Z');
  });

  it('begins at the first of two midnights where clocks go back to it', () => {
    // Cuba leaves daylight saving time (UTC−4) at 01:00, which becomes 00:00 (UTC−5) of the same day.
    expect(startOfLocalDay('2025-11-02', 'America/Havana').toISOString()).toBe('2025-11-02T04:00:00.000Z');
  });

  it('takes the next date where the zone skipped one', () => {
    // Samoa crossed the date line at the end of 29 December 2011.
    const skipped = startOfLocalDay('2011-12-30', 'Pacific/Apia');
    expect(skipped.getTime()).toBeGreaterThanOrEqual(startOfLocalDay('2011-12-31', 'Pacific/Apia').getTime());
    expect(skipped.getTime()).toBeLessThan(startOfLocalDay('2012-01-01', 'Pacific/Apia').getTime() + 1);
  });

  it.each(['2026-02-29', '2026-13-01', '26-01-01', '2026-1-1', '2026-01-01T00:00', '', 'today'])(
    'refuses %j as a date',
    (date) => {
      expect(() => startOfLocalDay(date, 'Europe/Berlin')).toThrow(/is no date/);
    },
  );

  it.each(['Europe/Nowhere', 'UTC+2', '+02:00', 'local', 'CET+1', '', 'Mars/Olympus'])(
    'refuses %j as a zone',
    (zone) => {
      expect(isKnownZone(zone)).toBe(false);
      expect(() => startOfLocalDay('2026-01-01', zone)).toThrow(/is no time zone/);
    },
  );
});

describe('endOfLocalDay', () => {
  it('is the instant at which the next local day begins', () => {
    expect(endOfLocalDay('2026-12-31', 'Europe/Berlin')).toEqual(startOfLocalDay('2027-01-01', 'Europe/Berlin'));
    expect(endOfLocalDay('2028-02-28', 'Asia/Tokyo')).toEqual(startOfLocalDay('2028-02-29', 'Asia/Tokyo'));
  });

  it('makes the days of a clock change 23 and 25 hours long', () => {
    const hours = (date: string): number =>
      (endOfLocalDay(date, 'Europe/Berlin').getTime() - startOfLocalDay(date, 'Europe/Berlin').getTime()) / 3_600_000;
    expect([hours('2026-03-28'), hours('2026-03-29'), hours('2026-10-25')]).toEqual([24, 23, 25]);
  });
});

describe('localDate', () => {
  it('is the date on the wall of that zone', () => {
    const instant = new Date('2026-06-30T22:30:00Z');
    expect(localDate(instant, 'Europe/Berlin')).toBe('2026-07-01');
    expect(localDate(instant, 'America/New_York')).toBe('2026-06-30');
  });
});
