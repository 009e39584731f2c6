import { z } from 'zod';
import { seesField } from '../platform/roles/fields.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { Employment } from './employment.entity.js';
import { PERSON_STATUSES, type Person } from './person.entity.js';
import type { Site } from './site.entity.js';

const NAME = z.string().trim().min(1).max(200);

const TERMS = 'Left out for who doesn’t hold `people:read-terms`.';

export const PersonView = z.object({
  id: z.uuid(),
  givenName: z.string(),
  familyName: z.string(),
  displayName: z.string(),
  corporateEmail: z.string(),
  status: z.enum(PERSON_STATUSES),
  generation: z.int().describe('Their newest intention about grants.'),
  version: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

export const EmploymentView = z.object({
  id: z.uuid(),
  source: z.string().describe('Name of the HR source.'),
  sourceId: z.string(),
  department: z.string(),
  title: z.string().nullable().optional().describe(TERMS),
  employmentType: z.string(),
  location: z.string().nullable(),
  zone: z.string().describe('IANA zone in which the dates are meant.'),
  startDate: z.iso.date(),
  startsAt: z.iso.datetime().describe('The instant at which the first day begins in its zone.'),
  startAppliedAt: z.iso.datetime().nullable(),
  endDate: z.iso.date().nullable().optional().describe(TERMS),
  endsAt: z.iso.datetime().nullable().optional().describe(TERMS),
  endAppliedAt: z.iso.datetime().nullable().optional().describe(TERMS),
  endHeldAt: z.iso.datetime().nullable().optional().describe(`Since when a brake holds the leave. ${TERMS}`),
});

export const PersonDetails = PersonView.extend({ employments: z.array(EmploymentView) });

export const PeopleQueryFilters = {
  status: z.enum(PERSON_STATUSES).optional(),
  department: z.string().trim().min(1).max(200).optional(),
  search: z.string().trim().min(1).max(100).optional().describe('Part of a name or of the address.'),
};

export const RenamePerson = z
  .strictObject({ givenName: NAME.optional(), familyName: NAME.optional(), displayName: NAME.optional() })
  .describe('Everything else about a person comes from HR.');

export const SiteView = z.object({
  id: z.uuid(),
  name: z.string(),
  zone: z.string(),
  address: z.string().nullable().describe('Where devices are sent to.'),
});

export const PutSite = z.strictObject({
  zone: z.string().trim().min(1).max(100).describe('IANA zone, e.g. Europe/Berlin.'),
  address: z
    .string()
    .trim()
    .min(1)
    .max(500)
    .nullable()
    .optional()
    .describe('As it stands on a parcel. Left out: as it was.'),
});

export function personView(person: Person): z.infer<typeof PersonView> {
  const { id, givenName, familyName, displayName, corporateEmail, status, generation, version } = person;
  const createdAt = person.createdAt.toISOString();
  const updatedAt = person.updatedAt.toISOString();
  return { id, givenName, familyName, displayName, corporateEmail, status, generation, version, createdAt, updatedAt };
}

export function employmentView(employment: Employment, actor: Actor): z.infer<typeof EmploymentView> {
  const { id, source, sourceId, department, title, employmentType, location, zone, startDate, endDate } = employment;
  return {
    id,
    source,
    sourceId,
    department,
    employmentType,
    location,
    zone,
    startDate,
    startsAt: employment.startsAt.toISOString(),
    startAppliedAt: employment.startAppliedAt?.toISOString() ?? null,
    ...(seesField(actor, 'employment.terms') && {
      title,
      endDate,
      endsAt: employment.endsAt?.toISOString() ?? null,
      endAppliedAt: employment.endAppliedAt?.toISOString() ?? null,
      endHeldAt: employment.endHeldAt?.toISOString() ?? null,
    }),
  };
}

export function siteView({ id, name, zone, address }: Site): z.infer<typeof SiteView> {
  return { id, name, zone, address };
}
