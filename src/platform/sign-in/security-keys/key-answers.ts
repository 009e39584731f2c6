import { z } from 'zod';
import type { SecurityKey } from './security-key.entity.js';

/** Characters: an attestation with certificates, of which nobody asked, would fit. */
const LONGEST = 20_000;

const Base64Url = z
  .string()
  .min(1)
  .max(LONGEST)
  .regex(/^[A-Za-z0-9_-]+$/);

const Credential = z.object({
  id: Base64Url,
  rawId: Base64Url,
  type: z.literal('public-key'),
});

/** `RegistrationResponseJSON` of Web Authentication level 3, section 5.1. What browsers add to it isn't asked for. */
export const NewKeyAnswer = Credential.extend({
  response: z.object({
    clientDataJSON: Base64Url,
    attestationObject: Base64Url,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,30}$/))
      .max(10)
      .default([]),
  }),
});
export type NewKeyAnswer = z.infer<typeof NewKeyAnswer>;

/** `AuthenticationResponseJSON` of the same section. */
export const KeyAnswer = Credential.extend({
  response: z.object({ clientDataJSON: Base64Url, authenticatorData: Base64Url, signature: Base64Url }),
});
export type KeyAnswer = z.infer<typeof KeyAnswer>;

const Known = z.array(z.object({ id: z.string(), type: z.literal('public-key'), transports: z.array(z.string()) }));

/** `PublicKeyCredentialCreationOptionsJSON`: what a page hands to `navigator.credentials.create`. */
export const NewKeyRequest = z.object({
  challenge: z.string(),
  rp: z.object({ id: z.string(), name: z.string() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  pubKeyCredParams: z.array(z.object({ type: z.literal('public-key'), alg: z.int() })),
  timeout: z.int().describe('Milliseconds.'),
  attestation: z.literal('none'),
  excludeCredentials: Known,
  authenticatorSelection: z.object({
    residentKey: z.literal('discouraged'),
    userVerification: z.literal('required'),
  }),
});
export type NewKeyRequest = z.infer<typeof NewKeyRequest>;

/** `PublicKeyCredentialRequestOptionsJSON`: what a page hands to `navigator.credentials.get`. */
export const KeyRequest = z.object({
  challenge: z.string(),
  rpId: z.string(),
  timeout: z.int().describe('Milliseconds.'),
  allowCredentials: Known,
  userVerification: z.literal('required'),
});
export type KeyRequest = z.infer<typeof KeyRequest>;

/** As browsers want to be told which keys are meant. */
export function knownTo(keys: readonly SecurityKey[]): z.infer<typeof Known> {
  return keys.map(({ credentialId: id, transports }) => ({ id, type: 'public-key', transports }));
}
