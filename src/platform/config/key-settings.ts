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
  RECOVERY_RECIPIENTS: list
    .refine((all) => all.every((one) => /^age1[0-9a-z]{20,}$/.test(one)), {
      error: 'is a list of age recipients: write age1…, with commas between them',
    })
    .default([]),
  RECOVERY_IDENTITY_FILE: z.string().optional(),
});

/** Which providers of keys this process may use, and where what they need is. Of several keys the first wraps, all unwrap. */
export interface KeySettings {
  /** Beside the installation's own. */
  keyFiles: readonly string[];
  ageIdentityFile: string | undefined;
  /** Public: recovery keys are sealed to all of them. */
  recoveryRecipients: readonly string[];
  /** Only for a process that shows recovery keys. */
  recoveryIdentityFile: string | undefined;
}

/** @throws ConfigError */
export function loadKeySettings(env: Environment): KeySettings {
  const variables = parseVariables(VARIABLES, env);
  return {
    keyFiles: variables.SECRETS_KEY_FILES,
    ageIdentityFile: variables.SECRETS_AGE_IDENTITY_FILE,
    recoveryRecipients: variables.RECOVERY_RECIPIENTS,
    recoveryIdentityFile: variables.RECOVERY_IDENTITY_FILE,
  };
}
