import { z } from 'zod';
import type { Mark } from '../kit/contract.js';

/** What the connector keeps in a role's COMMENT, written in the transaction that makes or changes the role. */
export interface RoleNote {
  mark: Mark;
  /** New with every password, so that a reset can be read back. Random; it tells nothing about the password. */
  credentialVersion: string;
}

const comment = z.object({ quartermaster: z.object({ mark: z.string(), credentialVersion: z.string() }) });

/** Begins like `commentPrefix(mark)`, by which a role is found again. */
export function writeComment({ mark, credentialVersion }: RoleNote): string {
  return JSON.stringify({ quartermaster: { mark, credentialVersion } });
}

export function commentPrefix(mark: Mark): string {
  return `{"quartermaster":{"mark":${JSON.stringify(mark)},`;
}

/** Null for a role that isn't ours: no comment, or somebody else's. */
export function readComment(text: string | null): RoleNote | null {
  if (!text?.startsWith('{"quartermaster":')) return null;
  try {
    return comment.parse(JSON.parse(text)).quartermaster;
  } catch {
    return null;
  }
}
