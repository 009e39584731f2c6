import { z } from 'zod';
import { ConfigError, parseVariables, type Environment } from './config.js';

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean),
);

const VARIABLES = z.object({
  SECRETS_KEY_FILES: list.default([]),
  SECRETS_AGE_IDENTITY_FILE: z.string().optional(),
  SECRETS_KMS_KEYS: list
    .refine((all) => all.every((one) => /^arn:aws[\w-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(one)), {
      error: 'is a list of ARNs of keys, not of aliases: write arn:aws:kms:…:key/…, with commas between them',
    })
    .default([]),
  SECRETS_KMS_ENDPOINT: z
    .string()
    .refine(isSafeAddress, { error: "isn't the address of a KMS endpoint: write https://…, or leave it out" })
    .optional(),
  SECRETS_TRANSIT_ADDRESS: z
    .string()
    .refine(isSafeAddress, {
      error:
        "isn't an address that a token may be sent to: write https://vault.example.com:8200 (http:// for an agent on this host only)",
    })
    .optional(),
  SECRETS_TRANSIT_KEYS: list.default(['quartermaster']),
  SECRETS_TRANSIT_MOUNT: z
    .string()
    .regex(/^[\w-]+(\/[\w-]+)*$/, { error: "isn't the path of a mount: write transit, without slashes at its ends" })
    .default('transit'),
  SECRETS_TRANSIT_NAMESPACE: z.string().optional(),
  SECRETS_TRANSIT_CA_FILE: z.string().optional(),
  SECRETS_TRANSIT_TOKEN_FILE: z.string().optional(),
  SECRETS_TRANSIT_ROLE_ID: z.string().optional(),
  SECRETS_TRANSIT_SECRET_ID_FILE: z.string().optional(),
  RECOVERY_RECIPIENTS: list
    .refine((all) => all.every((one) => /^age1[0-9a-z]{20,}$/.test(one)), {
      error: 'is a list of age recipients: write age1…, with commas between them',
    })
    .default([]),
  RECOVERY_IDENTITY_FILE: z.string().optional(),
});

export interface TransitKeySettings {
  address: string;
  keys: readonly [string, ...string[]];
  mount: string;
  namespace: string | undefined;
  caFile: string | undefined;
  auth: { tokenFile: string } | { roleId: string; secretIdFile: string };
}

/** Which providers of keys this process may use, and where what they need is. Of several keys the first wraps, all unwrap. */
export interface KeySettings {
  /** Beside the installation's own. */
  keyFiles: readonly string[];
  ageIdentityFile: string | undefined;
  kms: { keys: readonly [string, ...string[]]; endpoint: string | undefined } | undefined;
  transit: TransitKeySettings | undefined;
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
    kms: kmsIn(variables),
    transit: transitIn(variables),
    recoveryRecipients: variables.RECOVERY_RECIPIENTS,
    recoveryIdentityFile: variables.RECOVERY_IDENTITY_FILE,
  };
}

function kmsIn(variables: z.infer<typeof VARIABLES>): KeySettings['kms'] {
  const [first, ...rest] = variables.SECRETS_KMS_KEYS;
  return first === undefined ? undefined : { keys: [first, ...rest], endpoint: variables.SECRETS_KMS_ENDPOINT };
}

function transitIn(variables: z.infer<typeof VARIABLES>): TransitKeySettings | undefined {
  const { SECRETS_TRANSIT_ADDRESS: address, SECRETS_TRANSIT_TOKEN_FILE: tokenFile } = variables;
  const { SECRETS_TRANSIT_ROLE_ID: roleId, SECRETS_TRANSIT_SECRET_ID_FILE: secretIdFile } = variables;
  if (address === undefined) return undefined;
  const [first, ...rest] = variables.SECRETS_TRANSIT_KEYS;
  if (first === undefined) throw new ConfigError(['SECRETS_TRANSIT_KEYS is empty: name the key, or leave it out']);
  const role = roleId && secretIdFile ? { roleId, secretIdFile } : undefined;
  const auth = tokenFile ? { tokenFile } : role;
  if (!auth || (tokenFile && (roleId ?? secretIdFile))) {
    throw new ConfigError([
      'SECRETS_TRANSIT_ADDRESS needs one way to sign in: SECRETS_TRANSIT_TOKEN_FILE, or SECRETS_TRANSIT_ROLE_ID with SECRETS_TRANSIT_SECRET_ID_FILE',
    ]);
  }
  const {
    SECRETS_TRANSIT_MOUNT: mount,
    SECRETS_TRANSIT_NAMESPACE: namespace,
    SECRETS_TRANSIT_CA_FILE: caFile,
  } = variables;
  return { address: address.replace(/\/+$/, ''), keys: [first, ...rest], mount, namespace, caFile, auth };
}

function isSafeAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return true;
  return url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}
