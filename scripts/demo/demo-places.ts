import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { makeReachableFolder, quartermasterDataFolder } from '../embedded/places.js';

const newSecret = (): string => randomBytes(24).toString('base64url');

/** What one run leaves to the next. Everything has a default, so that an older file still serves. */
const Memory = z.object({
  /** How many employees the demo has hired. */
  hired: z.int().default(0),
  analyticsPassword: z.string().default(newSecret),
  directoryToken: z.string().default(newSecret),
  chatToken: z.string().default(newSecret),
  ldapPassword: z.string().default(newSecret),
  apiToken: z.string().nullable().default(null),
  hrSecret: z.string().nullable().default(null),
  /** For whom recovery keys of laptops are sealed. */
  recoveryRecipient: z.string().nullable().default(null),
  /** Whether the brakes let the story be told many times within an hour. */
  mayRepeat: z.boolean().default(false),
});
export type Memory = z.infer<typeof Memory>;

/** Where the demo keeps its data: apart from what `npm start -- --embedded` keeps. */
export interface DemoPlaces {
  /** A folder or file of the demo's. */
  at(name: string): string;
  readonly memory: Readonly<Memory>;
  /** Written before it is answered, so that a killed run never hires the same person twice. */
  remember(change: Partial<Memory>): Promise<void>;
}

export async function openDemoPlaces(): Promise<DemoPlaces> {
  const home = join(quartermasterDataFolder(), 'demo');
  await makeReachableFolder(home);
  const file = join(home, 'memory.json');
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  let memory = Memory.parse(JSON.parse(kept));
  const remember = async (change: Partial<Memory>): Promise<void> => {
    memory = { ...memory, ...change };
    await writeFile(`${file}.new`, JSON.stringify(memory, null, 1), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  await remember({});
  return {
    at: (name) => join(home, name),
    get memory() {
      return memory;
    },
    remember,
  };
}
