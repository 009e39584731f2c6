import { randomBytes } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';
import { ToolError } from '../kit/errors.js';

/** What a certificate says (OpenSSH, PROTOCOL.certkeys). */
export interface CertificateContent {
  publicKey: string;
  serial: bigint;
  /** Written to sshd's log with each sign-in, and what the revocation list names. */
  keyId: string;
  principals: readonly string[];
  validFrom: Date;
  validUntil: Date;
}

const USER_CERTIFICATE = 1;

/** Keys that devices may have. DSA and SHA-1 are dead; a name may end in @openssh.com. */
const CERTIFICATE_TYPE: Readonly<Record<string, string>> = {
  'ssh-ed25519': 'ssh-ed25519-cert-v01@openssh.com',
  'ssh-rsa': 'ssh-rsa-cert-v01@openssh.com',
  'ecdsa-sha2-nistp256': 'ecdsa-sha2-nistp256-cert-v01@openssh.com',
  'ecdsa-sha2-nistp384': 'ecdsa-sha2-nistp384-cert-v01@openssh.com',
  'ecdsa-sha2-nistp521': 'ecdsa-sha2-nistp521-cert-v01@openssh.com',
  'sk-ssh-ed25519@openssh.com': 'sk-ssh-ed25519-cert-v01@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com': 'sk-ecdsa-sha2-nistp256-cert-v01@openssh.com',
};

/** What people may do on a gateway: a terminal, and jumping on. No agent, no X11, no rc file. In alphabetical order. */
const EXTENSIONS = ['permit-port-forwarding', 'permit-pty'];

/** The authority's key. Throws `auth-broken` for what isn't a private key that can sign. */
export function parseAuthority(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error || !key.isPrivateKey() || !(key.type in SIGNATURE)) {
    throw new ToolError('auth-broken', 'The authority’s key is not an unencrypted Ed25519 or RSA private key.', {
      remedy: 'Make one with ssh-keygen -t ed25519 and save it again.',
    });
  }
  return key;
}

/** One line as in `id_ed25519-cert.pub`. Throws `invalid` for a public key that isn't one. */
export function signCertificate(authority: ParsedKey, content: CertificateContent): string {
  const { type, fields } = parsePublicKey(content.publicKey);
  const certificateType = CERTIFICATE_TYPE[type] ?? '';
  const unsigned = Buffer.concat([
    text(certificateType),
    bytes(randomBytes(32)),
    fields,
    uint64(content.serial),
    uint32(USER_CERTIFICATE),
    text(content.keyId),
    bytes(Buffer.concat(content.principals.map(text))),
    uint64(seconds(content.validFrom)),
    uint64(seconds(content.validUntil)),
    bytes(Buffer.alloc(0)), // critical options
    bytes(Buffer.concat(EXTENSIONS.flatMap((name) => [text(name), bytes(Buffer.alloc(0))]))),
    bytes(Buffer.alloc(0)), // reserved
    bytes(authority.getPublicSSH()),
  ]);
  const { name, hash } = SIGNATURE[authority.type] ?? {};
  const signature: unknown = authority.sign(unsigned, hash);
  if (!name || !Buffer.isBuffer(signature)) throw new ToolError('auth-broken', 'The authority’s key can’t sign.');
  const signed = Buffer.concat([unsigned, bytes(Buffer.concat([text(name), bytes(signature)]))]);
  return `${certificateType} ${signed.toString('base64')}`;
}

/** RFC 8332 and RFC 8709. */
const SIGNATURE: Readonly<Record<string, { name: string; hash?: string }>> = {
  'ssh-ed25519': { name: 'ssh-ed25519' },
  'ssh-rsa': { name: 'rsa-sha2-512', hash: 'sha512' },
};

const SHORTEST_RSA_BITS = 2048;

function parsePublicKey(line: string): { type: string; fields: Buffer } {
  const [type = '', base64 = ''] = line.trim().split(/\s+/);
  const blob = Buffer.from(base64, 'base64');
  const declared = CERTIFICATE_TYPE[type] ? text(type) : Buffer.from([0]);
  const isWhole = blob.subarray(0, declared.length).equals(declared) && hasWholeFields(blob);
  // The library knows no keys of security tokens; their shape alone is looked at.
  const isKey = type.startsWith('sk-') || isParsable(`${type} ${base64}`);
  if (line.includes('\n') || !isWhole || !isKey) {
    throw new ToolError('invalid', 'That is not a public key of OpenSSH that a certificate can be made for.', {
      remedy: 'Give one line, as ssh-keygen -t ed25519 writes it to id_ed25519.pub.',
    });
  }
  if (type === 'ssh-rsa' && modulusBits(blob) < SHORTEST_RSA_BITS) {
    throw new ToolError('invalid', `An RSA key must have ${SHORTEST_RSA_BITS} bits or more.`);
  }
  return { type, fields: blob.subarray(declared.length) };
}

function isParsable(line: string): boolean {
  const parsed = ssh2.utils.parseKey(line);
  return !(parsed instanceof Error) && !parsed.isPrivateKey();
}

/** Every field a length and that many bytes, and nothing behind the last. */
function hasWholeFields(blob: Buffer): boolean {
  let offset = 0;
  while (offset + 4 <= blob.length) offset += 4 + blob.readUInt32BE(offset);
  return offset === blob.length && offset > 0;
}

function modulusBits(blob: Buffer): number {
  const exponentAt = 4 + blob.readUInt32BE(0);
  const modulusAt = exponentAt + 4 + blob.readUInt32BE(exponentAt);
  return (blob.readUInt32BE(modulusAt) - 1) * 8;
}

function bytes(content: Buffer): Buffer {
  return Buffer.concat([uint32(content.length), content]);
}

function text(content: string): Buffer {
  return bytes(Buffer.from(content, 'utf8'));
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function uint64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(value);
  return buffer;
}

function seconds(time: Date): bigint {
  return BigInt(Math.floor(time.getTime() / 1000));
}
