import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import canonicalize from 'canonicalize';

/** The lists of a system in which a package can stand; agents tell of the same ones. */
export const PACKAGE_LISTS = ['deb', 'rpm', 'macos-app', 'windows-program'] as const;

/** What an image version was built from. */
export interface BuildManifest {
  /**
   * Pinned: by name, version and SHA-256 in lower-case hex. One with a list is a package that a machine with this image has
   * installed; without, something else that it was built from.
   */
  inputs: { name: string; version: string; sha256: string; list?: (typeof PACKAGE_LISTS)[number] | undefined }[];
}

/** What is signed of an image version: all that says what it is. */
export interface ImageRelease {
  /** The image's name. */
  image: string;
  version: string;
  os: string;
  architecture: string;
  sizeBytes: number;
  /** Of the content, in lower-case hex. */
  sha256: string;
  manifest: BuildManifest;
}

/** So that a signature over something else never counts as one of these. */
const TYPE = 'quartermaster-image-release/1';

/**
 * The bytes that are signed: JSON in the canonical form of RFC 8785, in UTF-8, without a line's end. Whoever has the
 * private key signs them wherever it is: `openssl pkeyutl -sign -rawin -inkey key.pem -in statement`.
 */
export function releaseStatement(release: ImageRelease): Buffer {
  const { image, version, os, architecture, sizeBytes, sha256, manifest } = release;
  const inputs = manifest.inputs.map((input) => ({
    name: input.name,
    version: input.version,
    sha256: input.sha256,
    // Left out where it isn't said, as in all that was signed before there were lists.
    ...(input.list !== undefined && { list: input.list }),
  }));
  const statement = { type: TYPE, image, version, os, architecture, sizeBytes, sha256, manifest: { inputs } };
  const text = canonicalize(statement);
  if (text === undefined) throw new Error('an image release has no canonical form');
  return Buffer.from(text, 'utf8');
}

/** @returns the Ed25519 signature (RFC 8032) in base64 */
export function signRelease(release: ImageRelease, privateKey: KeyObject): string {
  return sign(null, releaseStatement(release), privateKey).toString('base64');
}

/** @param publicKey PEM, as `image_release_keys` holds it */
export function isSignedBy(release: ImageRelease, signature: string, publicKey: string): boolean {
  return verify(null, releaseStatement(release), createPublicKey(publicKey), Buffer.from(signature, 'base64'));
}

/** A public key in the one form in which it is kept, and its SHA-256 by which people compare it. */
export interface ReleasePublicKey {
  pem: string;
  /** Of the key as SubjectPublicKeyInfo in DER, in lower-case hex. */
  fingerprint: string;
}

/** @param text PEM. @returns null for what isn't the public half of an Ed25519 key */
export function readReleaseKey(text: string): ReleasePublicKey | null {
  // Node would take the public half out of a private key: who sends that must learn of it.
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(text)) return null;
  try {
    const key = createPublicKey(text);
    if (key.asymmetricKeyType !== 'ed25519') return null;
    const der = key.export({ type: 'spki', format: 'der' });
    const pem = key.export({ type: 'spki', format: 'pem' }).toString();
    return { pem, fingerprint: createHash('sha256').update(der).digest('hex') };
  } catch {
    return null;
  }
}
