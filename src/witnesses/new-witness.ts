import { z } from 'zod';
import { ToolError } from '../../connectors/kit/errors.js';
import { CosignatureVerifier } from '../platform/audit/cosignature.js';
import { NoteError } from '../platform/audit/signed-note.js';
import { refuseAddress } from '../platform/outbound/post-once.js';

const Url = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((text) => isBare(text), { error: 'write it without a user, a query and a fragment' })
  .describe('The submission prefix: `add-checkpoint` is asked below it.');

const Key = z
  .string()
  .max(1_000)
  .superRefine((text, issues) => {
    try {
      CosignatureVerifier.parse(text);
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      issues.addIssue({ code: 'custom', message: error.message });
    }
  })
  .describe('Its public key (an Ed25519 verifier key of c2sp.org/tlog-cosignature), as its operator handed it out.');

export const NewWitness = z
  .strictObject({
    url: Url,
    key: Key,
    allowPrivateAddresses: z
      .boolean()
      .default(false)
      .describe('Allow plain http and addresses inside our own network.'),
  })
  .superRefine(({ url, allowPrivateAddresses }, issues) => {
    try {
      if (URL.canParse(url)) refuseAddress(new URL(url), allowPrivateAddresses);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      issues.addIssue({ code: 'custom', path: ['url'], message: error.message });
    }
  });
export type NewWitness = z.infer<typeof NewWitness>;

/** What would be sent with each request, or never be. */
function isBare(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && [url.username, url.password, url.search, url.hash].every((part) => part === '');
}
