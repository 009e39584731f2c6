import { z } from 'zod';
import { parseVariables, type Environment } from './config.js';

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean),
);

const VARIABLES = z.object({
  SECRETS_KEY_FILES: list.default([]),
  SECRETS_AGE_IDENTITY_FILE: z.string().optional(),
});

/** Which providers of keys this process may use, and where what they need is. Of several keys the first wraps, all unwrap. */
export interface KeySettings {
  /** Beside the installation's own. */
  keyFiles: readonly string[];
  ageIdentityFile: string | undefined;
}

/** @throws ConfigError */
export function loadKeySettings(env: Environment): KeySettings {
  const variables = parseVariables(VARIABLES, env);
  return {
    keyFiles: variables.SECRETS_KEY_FILES,
    ageIdentityFile: variables.SECRETS_AGE_IDENTITY_FILE,
  };
}
