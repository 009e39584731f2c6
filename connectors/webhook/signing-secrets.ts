import { Webhook } from 'standardwebhooks';
import { ToolError } from '../kit/errors.js';

/**
 * What both sides sign with (Standard Webhooks). Two secrets with a space between them while one is being changed: then
 * everything is signed with both, and a message with either counts, so that the two sides needn't change at one moment.
 */
export class SigningSecrets {
  private readonly webhooks: readonly Webhook[];
  /** As they are written. */
  readonly texts: readonly string[];

  /** @throws ToolError `auth-broken` for a secret that Standard Webhooks doesn't allow, and for more than two */
  constructor(secret: string) {
    this.texts = secret.trim().split(/\s+/);
    if (this.texts.length > 2) throw unusable();
    this.webhooks = this.texts.map(readSecret);
  }

  /** The value of `webhook-signature`: a signature for each secret. */
  sign(id: string, at: Date, payload: string): string {
    return this.webhooks.map((webhook) => webhook.sign(id, at, payload)).join(' ');
  }

  /** Throws for a message that is signed with none of them, or is more than 5 minutes off. */
  verify(text: string, headers: Record<string, string>): void {
    const failures: unknown[] = [];
    for (const webhook of this.webhooks) {
      try {
        webhook.verify(text, headers, { jsonParse: false });
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, 'signed with none of the secrets');
  }
}

function readSecret(secret: string): Webhook {
  if (!secret.startsWith('whsec_')) throw unusable();
  const bytes = Buffer.from(secret.slice('whsec_'.length), 'base64').length;
  if (bytes < 24 || bytes > 64) throw unusable();
  try {
    return new Webhook(secret);
  } catch {
    throw unusable();
  }
}

function unusable(): ToolError {
  return new ToolError(
    'auth-broken',
    'The secret isn’t whsec_ and 24 to 64 bytes in base64, or two such with a space.',
    {
      remedy: 'Make one with: echo "whsec_$(openssl rand -base64 32)"',
    },
  );
}
