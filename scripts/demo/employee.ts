import { DateTime } from 'luxon';
import type { DemoPlaces } from './demo-places.js';

/** Both lists' lengths have no common divisor, so that all their pairs come up before one comes up again. */
const GIVEN = ['Mina', 'Tomás', 'Aiko', 'Jonas', 'Leila', 'Pavel', 'Nora', 'Kwame', 'Ines', 'Ravi', 'Freya', 'Marek'];
const FAMILY = [
  'Okafor',
  'Lindqvist',
  'Moreau',
  'Tanaka',
  'Brandt',
  'Sousa',
  'Novak',
  'Haddad',
  'Byrne',
  'Kaya',
  'Weiss',
];

export const ZONE = 'Europe/Berlin';

/** Somebody new, as the HR system knows them. */
export interface Employee {
  /** The number of this hire on this data folder. */
  number: number;
  hrId: string;
  givenName: string;
  familyName: string;
  displayName: string;
  email: string;
  /** First day, a local date. */
  startDate: string;
}

export async function hireSomebody(places: DemoPlaces): Promise<Employee> {
  const number = places.memory.hired + 1;
  await places.remember({ hired: number });
  const givenName = GIVEN[number % GIVEN.length] ?? 'Ada';
  const familyName = FAMILY[number % FAMILY.length] ?? 'Example';
  const round = Math.ceil(number / (GIVEN.length * FAMILY.length));
  const plain = `${givenName}.${familyName}`
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase();
  return {
    number,
    hrId: `E-${1_000 + number}`,
    givenName,
    familyName,
    displayName: `${givenName} ${familyName}`,
    email: `${plain}${round > 1 ? round : ''}@acme.example`,
    startDate: today(),
  };
}

export function today(): string {
  return DateTime.now().setZone(ZONE).toFormat('yyyy-MM-dd');
}

/** The event of their joining, as of an instant. */
export function joinEvent(employee: Employee, occurredAt: Date): unknown {
  const { hrId: id, givenName, familyName, email: workEmail, startDate } = employee;
  return {
    type: 'employee.joined',
    occurredAt: occurredAt.toISOString(),
    employee: {
      id,
      givenName,
      familyName,
      workEmail,
      // HR systems send it along; no account is ever made on it.
      personalEmail: `${givenName.toLowerCase()}@home.example`,
      department: 'engineering',
      title: 'Engineer',
      employmentType: 'employee',
      location: 'Berlin',
      timeZone: ZONE,
      startDate,
    },
  };
}

export function leaveEvent({ hrId: id }: Employee, occurredAt: Date): unknown {
  return {
    type: 'employee.left',
    occurredAt: occurredAt.toISOString(),
    immediate: true,
    employee: { id, endDate: today() },
  };
}
