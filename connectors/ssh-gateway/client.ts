import { connect as connectTcp, type Socket } from 'node:net';
import ssh2, { type ClientChannel } from 'ssh2';
import type { CallContext } from '../kit/contract.js';
import { refuseWhenOver } from '../kit/deadline.js';
import { resolveAllowed } from '../kit/egress.js';
import { ToolError, type ToolErrorKind } from '../kit/errors.js';
import { describeNetworkError } from '../kit/http-client.js';
import type { SshGatewaySettings } from './manifest.js';

/** An answer's lines, each split into its words. */
export type Answer = readonly (readonly string[])[];

const WORD = /^[A-Za-z0-9._,-]+$/;
const LONGEST_ANSWER = 16 * 1024 * 1024;

/**
 * One connection to one gateway, within one call's deadline, over which requests to the forced command are sent. Throws
 * `ToolError` and nothing else. A look that was lost is `transient`, an act that was lost is `ambiguous`.
 */
export class GatewayClient {
  private isOver = false;
  private readonly closed: Promise<void>;

  private constructor(
    private readonly client: ssh2.Client,
    private readonly named: string,
  ) {
    this.closed = new Promise((resolve) => client.once('close', () => resolve()));
  }

  /** Nothing is signed for a gateway whose own key isn't the one in the settings. */
  static async connect(
    settings: SshGatewaySettings,
    privateKey: string,
    { allowPrivateAddresses, call }: { allowPrivateAddresses: boolean; call: CallContext },
  ): Promise<GatewayClient> {
    refuseWhenOver(call);
    const named = `${settings.host}:${settings.port}`;
    const key = ssh2.utils.parseKey(privateKey);
    if (key instanceof Error || !key.isPrivateKey()) {
      throw new ToolError('auth-broken', 'The service’s own key is not an unencrypted private key of OpenSSH or PEM.', {
        remedy: 'Make one with ssh-keygen -t ed25519 and save it again.',
      });
    }
    const { signal } = call;
    const client = new ssh2.Client();
    const gateway = new GatewayClient(client, named);
    // Stays: without a listener a lost connection would end the process. Requests see the channel close.
    client.on('error', () => undefined);
    const wanted = hostKeyOf(settings.hostKey);
    let isOtherHost = false;
    try {
      const sock = await openSocket(settings, allowPrivateAddresses, signal);
      signal.addEventListener('abort', () => gateway.stop(sock), { once: true });
      await new Promise<void>((resolve, reject) => {
        client.once('ready', resolve).once('error', reject);
        client.once('close', () => reject(new Error('The gateway hung up.')));
        client.connect({
          sock,
          username: settings.user,
          privateKey,
          readyTimeout: 0,
          // The agreed key must be the one in the settings, so no other kind is offered.
          algorithms: {
            serverHostKey: HOST_KEY_ALGORITHMS[wanted.type] ?? [wanted.type as ssh2.ServerHostKeyAlgorithm],
          },
          hostVerifier: (shown: Buffer) => {
            isOtherHost = !shown.equals(wanted.blob);
            return !isOtherHost;
          },
        });
      });
    } catch (error) {
      client.destroy();
      if (error instanceof ToolError) throw error;
      if (signal.aborted) throw new ToolError('transient', `${named} did not answer in the time given.`);
      throw isOtherHost ? otherHost(named) : connectionError(error as Error & { level?: string }, named, settings);
    }
    return gateway;
  }

  look(...words: readonly string[]): Promise<Answer> {
    return this.request(words, false);
  }

  act(...words: readonly string[]): Promise<Answer> {
    return this.request(words, true);
  }

  async close(): Promise<void> {
    this.isOver = true;
    this.client.end();
  }

  private stop(socket: Socket): void {
    this.isOver = true;
    socket.destroy();
  }

  private async request(words: readonly string[], mayChange: boolean): Promise<Answer> {
    for (const word of words) {
      if (!WORD.test(word)) throw new ToolError('invalid', `“${word}” can’t be part of a request to a gateway.`);
    }
    const answer = await this.exchange(words.join(' '), mayChange);
    const lines = answer.text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '));
    const refusal = lines.find(([first]) => first === 'error');
    if (refusal) throw refusalError(refusal.slice(1), words, this.named);
    if (answer.status !== 0) throw notOurCommand(this.named, answer.status);
    return lines;
  }

  private exchange(request: string, mayChange: boolean): Promise<{ text: string; status: number | null }> {
    const lost = (cause?: Error) => {
      const message = this.isOver
        ? `${this.named} did not answer in the time given.`
        : `The connection to ${this.named} was lost.`;
      return mayChange
        ? new ToolError('ambiguous', `${message} The change may have been made.`, { cause })
        : new ToolError('transient', message, { cause });
    };
    return new Promise((resolve, reject) => {
      void this.closed.then(() => reject(lost()));
      this.client.exec(request, (error: Error | undefined, channel: ClientChannel) => {
        if (error) return reject(lost(error));
        const chunks: Buffer[] = [];
        let length = 0;
        let status: number | null = null;
        let hasStatus = false;
        channel.on('data', (chunk: Buffer) => {
          length += chunk.length;
          chunks.push(chunk);
          if (length > LONGEST_ANSWER) channel.destroy();
        });
        channel.stderr.resume();
        channel.on('exit', (code: number | null) => {
          hasStatus = true;
          status = code;
        });
        // Without an exit status the command was cut off, and what it wrote may be half of it.
        channel.on('close', () => {
          if (hasStatus && status !== null) resolve({ text: Buffer.concat(chunks).toString('utf8'), status });
          else reject(lost());
        });
      });
    });
  }
}

/** A host key of RSA signs with SHA-2 only (RFC 8332). */
const HOST_KEY_ALGORITHMS: Readonly<Record<string, ssh2.ServerHostKeyAlgorithm[]>> = {
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

function hostKeyOf(line: string): { type: string; blob: Buffer } {
  const [type = '', base64 = ''] = line.trim().split(/\s+/);
  return { type, blob: Buffer.from(base64, 'base64') };
}

async function openSocket(
  { host, port }: SshGatewaySettings,
  allowPrivateAddresses: boolean,
  signal: AbortSignal,
): Promise<Socket> {
  const address = await resolveAllowed(host, allowPrivateAddresses);
  // Small messages go back and forth: waiting to send them together (Nagle) would cost most of a call’s time.
  const socket = connectTcp({ host: address, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => socket.destroy(new Error('The call’s time was over.')), { once: true });
    socket.on('error', reject).once('connect', resolve);
  });
  return socket;
}

function connectionError(error: Error & { level?: string }, named: string, settings: SshGatewaySettings): ToolError {
  if (error.level === 'client-authentication') {
    return new ToolError('auth-broken', `${named} does not let the service’s key in as “${settings.user}”.`, {
      remedy:
        'Check the key’s line in the file that sshd reads for this user (AuthorizedKeysFile), and PermitRootLogin.',
      cause: error,
    });
  }
  if (error.level === 'handshake') return otherHost(named);
  if (error.level === 'protocol' || /identification|banner|hung up/i.test(error.message)) {
    return new ToolError('invalid', `${named} does not answer like an SSH server.`, {
      remedy: 'Check host and port.',
      cause: error,
    });
  }
  const { kind, message, remedy } = describeNetworkError(error, named);
  return new ToolError(kind, message, { remedy, cause: error });
}

function otherHost(named: string): ToolError {
  return new ToolError('auth-broken', `${named} has another host key than the settings; nothing was signed for it.`, {
    remedy:
      'If the gateway really has a new key, read it at its console (ssh_host_*_key.pub) and save it; else find out who answers.',
  });
}

function notOurCommand(named: string, status: number | null): ToolError {
  return new ToolError('invalid', `${named} answered not like quartermaster-gateway (exit status ${status}).`, {
    remedy: 'Install quartermaster-gateway, and name it in the key’s command="…".',
  });
}

const KINDS: Readonly<Record<string, ToolErrorKind>> = {
  invalid: 'invalid',
  'not-found': 'not-found',
  conflict: 'conflict',
  forbidden: 'forbidden',
  transient: 'transient',
};

function refusalError(
  [kind = '', why = '', ...more]: readonly string[],
  words: readonly string[],
  named: string,
): ToolError {
  const [message, remedy] = REASONS[why] ?? [`refused “${words[0]}”${why && ` (${[why, ...more].join(' ')})`}`];
  const known = KINDS[kind] ?? 'invalid';
  const permission = known === 'forbidden' ? `${words[0]} ${why}` : undefined;
  return new ToolError(known, `${named}: ${message}.`, { remedy, permission });
}

const REASONS: Readonly<Record<string, readonly [message: string, remedy?: string]>> = {
  'not-ours': ['the account doesn’t carry Quartermaster’s mark', 'Act on it by hand.'],
  'uid-out-of-range': ['the account is outside of the range that the gateway gives us'],
  'name-taken': ['the user name exists and isn’t Quartermaster’s', 'Give this person another user name.'],
  'device-revoked': [
    'this device’s certificates were revoked',
    'Reset the person’s credentials first: that begins anew for all of their devices.',
  ],
  suspended: ['the account is suspended'],
  'home-there': [
    'a home folder of this name is there already, and what is in it would run as the new person',
    'Move the folder away, or give this person another user name.',
  ],
  group: [
    'there is no such group to be granted',
    'Make the group on the gateway and name it in GRANTABLE of quartermaster-gateway.conf, or correct the access policy.',
  ],
  'still-alive': ['processes of the person were killed and are still there'],
};
