/** Who somebody is: the id of their sign-in and their name. */
export interface Identity {
  id: string;
  name: string;
}

/**
 * People are told apart by the id of their sign-in and by their name: somebody who comes by the terminal first and by
 * the browser then is one person.
 */
export function isSamePerson(one: Identity, other: Identity): boolean {
  return one.id === other.id || isSameName(one.name, other.name);
}

export function isSameName(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}
