/** One of the people whose access is looked after here. */
export interface KnownPerson {
  id: string;
  corporateEmail: string;
}

/** Whom an actor stands for: everything by which two of them can turn out to be one. */
export interface Somebody {
  /** The actor's id, and that of the user whom a token is bound to. */
  ids: readonly string[];
  /** Who they are among the people here; none where nobody linked them. */
  people: readonly KnownPerson[];
  name: string;
  /** False for a token of a service or a team, for HR systems and for the service itself. */
  isPerson: boolean;
}

/**
 * One person by whichever browser, token or terminal they come. Who is linked to two people is two, whatever they are
 * called; of others the name tells as well, so that nobody is their own second person by coming another way.
 */
export function isSamePerson(one: Somebody, other: Somebody): boolean {
  if (haveCommon(one.ids, other.ids) || haveCommon(idsOf(one.people), idsOf(other.people))) return true;
  if (one.people.length > 0 && other.people.length > 0) return false;
  return namesOf(one).some((name) => isCalled(other, name));
}

/** Whether something that happens to this person happens to them. */
export function isThisPerson(who: Somebody, { id, corporateEmail }: KnownPerson): boolean {
  return idsOf(who.people).includes(id) || (who.people.length === 0 && isCalled(who, corporateEmail));
}

/** By their name, or by an address of theirs. */
export function isCalled(who: Somebody, name: string): boolean {
  return namesOf(who).some((one) => fold(one) === fold(name));
}

function namesOf({ name, people }: Somebody): string[] {
  return [name, ...people.map(({ corporateEmail }) => corporateEmail)];
}

function idsOf(people: readonly KnownPerson[]): string[] {
  return people.map(({ id }) => id);
}

function fold(name: string): string {
  return name.trim().toLowerCase();
}

function haveCommon(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.includes(one));
}
