import { randomUUID } from 'node:crypto';

export interface HrEmployee {
  id: string;
  givenName: string;
  familyName: string;
  workEmail: string;
  department: string;
  timeZone: string;
  startDate: string;
  endDate?: string | null;
}

/** Somebody in engineering in Berlin since the start of 2026, with an id, a name and an address of their own. */
export function anHrEmployee(with_: Partial<HrEmployee> = {}): HrEmployee {
  const tag = randomUUID().slice(0, 8);
  return {
    id: `E-${tag}`,
    givenName: 'Ada',
    familyName: `Lovelace-${tag}`,
    workEmail: `ada.${tag}@acme.example`,
    department: 'engineering',
    timeZone: 'Europe/Berlin',
    startDate: '2026-01-05',
    ...with_,
  };
}

type HrEventBody = Record<string, unknown>;

/** The minute of an hour in the past: events are ordered by it. */
export function at(minute: number): string {
  return new Date(Date.UTC(2026, 5, 1, 9, minute)).toISOString();
}

export function hasJoined(employee: HrEmployee, occurredAt = at(0)): HrEventBody {
  return { type: 'employee.joined', occurredAt, employee };
}

export function hasChanged(employee: HrEmployee, occurredAt = at(1)): HrEventBody {
  return { type: 'employee.changed', occurredAt, employee };
}

/** At once, unless a last day is given that is to be over first. */
export function hasLeft({ id }: HrEmployee, occurredAt = at(2), endDate?: string): HrEventBody {
  return {
    type: 'employee.left',
    occurredAt,
    employee: { id, endDate: endDate ?? '2031-12-31' },
    immediate: endDate === undefined,
  };
}

export function staysAfterAll({ id }: HrEmployee, occurredAt = at(3)): HrEventBody {
  return { type: 'employee.leave-cancelled', occurredAt, employee: { id } };
}
