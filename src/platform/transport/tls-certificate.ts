import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { ConfigError, type TlsConfig } from '../config/config.js';

/** How often the files are looked at, in milliseconds: renewed certificates come weeks before the old ones end. */
const LOOK_EVERY = 10_000;

export interface KeyPair {
  cert: string;
  key: string;
}

/** The certificate and key of the API's own TLS, which are taken anew when their files change. */
export class TlsCertificate {
  private constructor(
    private readonly files: TlsConfig,
    private current: KeyPair,
  ) {}

  /** @throws ConfigError when a file can't be read, or the two don't belong together */
  static async load(files: TlsConfig): Promise<TlsCertificate> {
    try {
      return new TlsCertificate(files, await read(files));
    } catch (error) {
      throw new ConfigError([
        `TLS_CERT_FILE and TLS_KEY_FILE can't be used (${reasonOf(error)}): they have to be a certificate with its chain ` +
          'and its key, both in PEM',
      ]);
    }
  }

  get pair(): KeyPair {
    return this.current;
  }

  /**
   * Connections from then on get the new certificate; those that stand go on. Files that can't be used, half written ones
   * among them, change nothing and are looked at again.
   * @param tell a sentence for the log
   */
  keepCurrent(server: Server, tell: (sentence: string) => void, every = LOOK_EVERY): void {
    let told = '';
    const look = async (): Promise<void> => {
      try {
        const found = await read(this.files);
        told = '';
        if (found.cert === this.current.cert && found.key === this.current.key) return;
        server.setSecureContext(found);
        this.current = found;
        tell('the TLS certificate was renewed');
      } catch (error) {
        const sentence = `the TLS certificate stays: its new files can't be used (${reasonOf(error)})`;
        if (sentence !== told) tell(sentence);
        told = sentence;
      }
    };
    const timer = setInterval(() => void look(), every).unref();
    server.once('close', () => clearInterval(timer));
  }
}

async function read({ certFile, keyFile }: TlsConfig): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  // Throws for what is no PEM, and for a key of another certificate.
  createSecureContext({ cert, key });
  return { cert, key };
}

/** A code such as ENOENT or ERR_OSSL_X509_KEY_VALUES_MISMATCH: a message could quote the file. */
function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'not PEM';
}
