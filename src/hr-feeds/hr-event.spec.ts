import { expect, it } from 'vitest';
import { anHrEmployee, hasJoined } from '../../test/factories/hr-events.js';
import { HrEvent } from './hr-event.js';

it('an HR event happens in a year of four digits, in UTC as well: answers could tell no other', () => {
  const isRead = (occurredAt: string) => HrEvent.safeParse(hasJoined(anHrEmployee(), occurredAt)).success;
  for (const occurredAt of ['2026-11-23T18:00:00+01:00', '9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z']) {
    expect(isRead(occurredAt)).toBe(true);
  }
  for (const occurredAt of [
    '9999-12-31T23:59:59-00:01',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59.0009999Z',
    '9999-12-31T23:59:59.9999999Z',
  ]) {
    expect(isRead(occurredAt)).toBe(false);
  }
});
