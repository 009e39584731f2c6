import type { KMSClient } from '@aws-sdk/client-kms';
import { KeyProviderError, type KeyProvider } from '../key-provider.js';

export interface KmsSettings {
  /** ARNs of symmetric keys; the first wraps, all unwrap. */
  keys: readonly [string, ...string[]];
  /** Of a VPC endpoint; Amazon's own for the key's region without it. */
  endpoint: string | undefined;
}

/** Milliseconds for one question, its second try included; a transaction may wait for it. */
const PATIENCE = 5_000;

/**
 * AWS KMS (docs.aws.amazon.com/kms/latest/APIReference). The encryption context names the sealing key: it is authenticated,
 * policies can ask for it, and CloudTrail shows it. Rights come from where Amazon's own tools look for them: a role of the
 * machine or pod, the environment, a profile.
 */
export class KmsProvider implements KeyProvider {
  readonly kind = 'aws-kms';
  readonly keyName: string;
  private readonly clients = new Map<string, KMSClient>();

  constructor(private readonly settings: KmsSettings) {
    this.keyName = settings.keys[0];
  }

  async wrap(key: Buffer, fingerprint: string): Promise<Buffer> {
    const { EncryptCommand } = await library();
    const command = new EncryptCommand({
      KeyId: this.keyName,
      Plaintext: key,
      EncryptionContext: contextOf(fingerprint),
    });
    const { CiphertextBlob } = await this.ask(this.keyName, (client, options) => client.send(command, options));
    return bytesOf(CiphertextBlob);
  }

  async unwrap(wrapped: Buffer, fingerprint: string, keyName: string): Promise<Buffer> {
    if (!this.settings.keys.includes(keyName)) {
      throw new KeyProviderError(
        'refused',
        `This process may not use the KMS key ${keyName}: name it in SECRETS_KMS_KEYS.`,
      );
    }
    const { DecryptCommand } = await library();
    // With the key named, a text that was made under another one, of another account even, is refused by KMS itself.
    const command = new DecryptCommand({
      KeyId: keyName,
      CiphertextBlob: wrapped,
      EncryptionContext: contextOf(fingerprint),
    });
    const { Plaintext } = await this.ask(keyName, (client, options) => client.send(command, options));
    return bytesOf(Plaintext);
  }

  private async ask<T>(
    keyName: string,
    send: (client: KMSClient, options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      return await send(await this.client(regionOf(keyName)), { abortSignal: AbortSignal.timeout(PATIENCE) });
    } catch (error) {
      throw asKeyProviderError(error, keyName);
    }
  }

  private async client(region: string): Promise<KMSClient> {
    const known = this.clients.get(region);
    if (known) return known;
    const { KMSClient: Client } = await library();
    const { endpoint } = this.settings;
    const client = new Client({ region, maxAttempts: 2, ...(endpoint && { endpoint }) });
    this.clients.set(region, client);
    return client;
  }
}

/** Loaded by whoever keeps keys there and by nobody else: it is a large library. */
function library(): Promise<typeof import('@aws-sdk/client-kms')> {
  return import('@aws-sdk/client-kms');
}

/** The fourth part of an ARN: `arn:aws:kms:<region>:<account>:key/<id>`. */
function regionOf(arn: string): string {
  return arn.split(':')[3] ?? '';
}

function contextOf(fingerprint: string): Record<string, string> {
  return { service: 'quartermaster', table: 'sealing_keys', fingerprint };
}

/** What KMS calls the errors of its two operations, where trying again doesn't help. */
const DAMAGED: ReadonlySet<string> = new Set(['InvalidCiphertextException', 'IncorrectKeyException']);
const REFUSED: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'DisabledException',
  'InvalidGrantTokenException',
  'InvalidKeyUsageException',
  // Pending deletion, or not yet there.
  'KMSInvalidStateException',
  'NotFoundException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'ExpiredTokenException',
]);

function asKeyProviderError(error: unknown, keyName: string): KeyProviderError {
  const name = error instanceof Error ? error.name : '';
  // KMS's own words may name a user and a role; its word for the error tells what there is to know.
  const said = `AWS KMS says ${name} of ${keyName}.`;
  const options = { cause: error };
  if (DAMAGED.has(name)) return new KeyProviderError('damaged', said, options);
  if (REFUSED.has(name)) {
    return new KeyProviderError(
      'refused',
      `${said} Check the key, and that our role may kms:Encrypt and kms:Decrypt with it.`,
      options,
    );
  }
  if (name === 'CredentialsProviderError') {
    return new KeyProviderError(
      'away',
      'No AWS credentials are found: give this process a role, or a profile.',
      options,
    );
  }
  return new KeyProviderError(
    'away',
    `AWS KMS in ${regionOf(keyName)} does not do it (${name || 'no answer'}).`,
    options,
  );
}

function bytesOf(blob: Uint8Array | undefined): Buffer {
  if (!blob) throw new KeyProviderError('away', 'AWS KMS answered without what it was asked for.');
  return Buffer.from(blob);
}
