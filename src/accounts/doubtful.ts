/**
 * An account that carries somebody's user name or address, and nothing that proves it theirs, is recorded with this
 * purpose: it is shown to a person, and never touched because of a match alone.
 */
const DOUBTFUL = 'doubtful:';

/** The purpose of an account that a look found, by the tool's stable id. */
export function purposeOfFound(externalId: string, isProven: boolean): string {
  return isProven ? `found:${externalId}` : `${DOUBTFUL}${externalId}`;
}

export function isDoubtful({ purpose }: { purpose: string }): boolean {
  return purpose.startsWith(DOUBTFUL);
}
