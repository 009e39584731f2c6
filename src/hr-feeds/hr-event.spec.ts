import { describe, expect, it } from 'vitest';
import { readHrEvent } from './hr-event.js';

const employee = {
  id: 'E-1',
  givenName: 'Ada',
  familyName: 'Lovelace',
  workEmail: 'ada@acme.example',
  department: 'engineering',
  timeZone: 'Europe/Berlin',
  startDate: '2026-03-01',
};
const joined = { type: 'employee.joined', occurredAt: '2026-02-01T09:00:00Z', employee };
const left = {
  type: 'employee.left',
  occurredAt: '2026-02-01T09:00:00Z',
  employee: { id: 'E-1', endDate: '2026-03-31' },
};

const read = (event: unknown) => readHrEvent(JSON.stringify(event));
const mistakeOf = (event: unknown): string => {
  const answer = read(event);
  return 'mistake' in answer ? answer.mistake : '';
};

describe('an HR event', () => {
  it('is read with what a sender may leave out filled in', () => {
    expect(read(joined)).toEqual({
      event: { ...joined, sequence: 0, employee: { ...employee, employmentType: 'employee' } },
    });
    expect(read(left)).toEqual({ event: { ...left, sequence: 0, immediate: false } });
  });

  it.each(['a\u0000b', 'a\nb', 'a\ud800'])(
    'holds no name such as %j, which nobody has and PostgreSQL can’t store',
    (name) => {
      expect(mistakeOf({ ...joined, employee: { ...employee, givenName: name } })).toContain('employee.givenName');
      expect(mistakeOf({ ...left, employee: { ...left.employee, id: name } })).toContain('employee.id');
    },
  );

  it.each(['employee.joined', 'employee.changed'])('%s needs the whole employee', (type) => {
    expect(read({ ...joined, type })).toHaveProperty('event');
    for (const field of Object.keys(employee)) {
      expect(mistakeOf({ ...joined, type, employee: { ...employee, [field]: undefined } })).toContain(
        `employee.${field}`,
      );
    }
  });

  it('a leave and its cancellation need no more than the id and the last day', () => {
    expect(read({ ...left, type: 'employee.leave-cancelled', employee: { id: 'E-1' } })).toHaveProperty('event');
    expect(mistakeOf({ ...left, employee: { id: 'E-1' } })).toContain('employee.endDate');
  });

  it('keeps no personal address, wherever it stands', () => {
    const answer = read({
      ...joined,
      employee: { ...employee, personalEmail: 'ada@home.example' },
      note: 'ada@home.example',
    });
    expect(answer).toHaveProperty('event');
    expect(JSON.stringify(answer)).not.toContain('home.example');
  });

  it('is ordered by its own time, in any zone', () => {
    expect(read({ ...joined, occurredAt: '2026-02-01T10:00:00+01:00', sequence: 7 })).toMatchObject({
      event: { occurredAt: '2026-02-01T10:00:00+01:00', sequence: 7 },
    });
    for (const occurredAt of ['2026-02-01T10:00:00', '2026-02-01', 'yesterday', 1_772_366_400]) {
      expect(mistakeOf({ ...joined, occurredAt })).toContain('occurredAt');
    }
    for (const sequence of [-1, 1.5, '1']) expect(mistakeOf({ ...joined, sequence })).toContain('sequence');
  });

  it.each([
    ['an offset', { timeZone: 'UTC+2' }, 'employee.timeZone: must be an IANA time zone'],
    ['a zone that is none', { timeZone: 'Europe/Atlantis' }, 'employee.timeZone: must be an IANA time zone'],
    ['a day that is none', { startDate: '2026-02-30' }, 'employee.startDate: must be a date'],
    ['an instant for a day', { startDate: '2026-02-01T00:00:00Z' }, 'employee.startDate: must be a date'],
    ['a last day that is none', { endDate: '2026-13-01' }, 'employee.endDate: must be a date'],
    ['an address that is none', { workEmail: 'ada' }, 'employee.workEmail: must be the corporate e-mail address'],
    ['a blank name', { givenName: '  ' }, 'employee.givenName'],
    ['a name as long as a book', { familyName: 'a'.repeat(301) }, 'employee.familyName'],
    ['a NUL character, which the database can not store', { department: 'engi\u0000neering' }, 'employee.department'],
  ])('is refused with %s, and says which field it is', (_what, with_, mistake) => {
    expect(mistakeOf({ ...joined, employee: { ...employee, ...with_ } })).toContain(mistake);
  });

  it.each([
    ['another type', { ...joined, type: 'employee.promoted' }, 'type: must be employee.joined, employee.changed'],
    ['no type', { occurredAt: joined.occurredAt, employee }, 'type: must be employee.joined'],
    ['a list', [joined], 'Not an event'],
    ['nothing', null, 'Not an event'],
  ])('is refused with %s, in a sentence', (_what, event, mistake) => {
    expect(mistakeOf(event)).toContain(mistake);
  });

  it.each(['', 'not json', '{"type":', '\u0000'])('is refused when the body is not JSON (%j)', (body) => {
    expect(readHrEvent(body)).toEqual({ mistake: 'The body is not JSON.' });
  });

  it('names five mistakes at most', () => {
    expect(mistakeOf({ ...joined, employee: {} }).split(';')).toHaveLength(5);
  });
});
