/** Whom an actor stands for: everything by which two of them can turn out to be one. */
export interface Somebody {
  /** The actor's id, and that of the user whom a token is bound to. */
  ids: readonly string[];
  /** Ids among the people whose access is looked after here; none where nobody linked them. */
  people: readonly string[];
  /** What they are called here, and the addresses of those people. */
  names: readonly string[];
  /** False for a token of a service or a team, for HR systems and for the service itself. */
  isPerson: boolean;
}

/**
 * One person by whichever browser, token or terminal they come. Who is linked to two people is two, whatever they are
 * called; of others the name tells as well, so that nobody is their own second person by coming another way.
 */
export function isSamePerson(one: Somebody, other: Somebody): boolean {
  if (haveCommon(one.ids, other.ids) || haveCommon(one.people, other.people)) return true;
  if (one.people.length > 0 && other.people.length > 0) return false;
  return one.names.some((name) => isCalled(other, name));
}

/** Whether something that happens to this person happens to them. */
export function isThisPerson(who: Somebody, { id, corporateEmail }: { id: string; corporateEmail: string }): boolean {
  return who.people.includes(id) || (who.people.length === 0 && isCalled(who, corporateEmail));
}

export function isCalled({ names }: Somebody, name: string): boolean {
  return names.some((one) => fold(one) === fold(name));
}

function fold(name: string): string {
  return name.trim().toLowerCase();
}

function haveCommon(some: readonly string[], others: readonly string[]): boolean {
  return some.some((one) => others.includes(one));
}
