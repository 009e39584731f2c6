import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

/** Paths of PEM files. */
export interface LocalCertificate {
  /** What a browser or another program has to trust. */
  authorityFile: string;
  certFile: string;
  keyFile: string;
}

const DAY = 24 * 60 * 60_000;
const AUTHORITY_DAYS = 3_650;
/** Browsers take no longer ones from 2027 on (CA/Browser Forum, ballot SC-081). */
const CERTIFICATE_DAYS = 90;
const RENEWED_BEFORE_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NAMES = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
] as const satisfies x509.JsonGeneralNames;

/**
 * Name constraints (RFC 5280, 4.2.1.10), in DER: whoever trusts this authority and loses its key is not impersonated
 * anywhere but on this machine. permittedSubtrees: localhost, 127.0.0.1/32, ::1/128.
 */
const THIS_MACHINE_ALONE = Buffer.concat([
  Buffer.from([0x30, 0x3f, 0xa0, 0x3d]),
  Buffer.from([0x30, 0x0b, 0x82, 0x09]),
  Buffer.from('localhost', 'ascii'),
  Buffer.from([0x30, 0x0a, 0x87, 0x08, 127, 0, 0, 1, 255, 255, 255, 255]),
  Buffer.from([0x30, 0x22, 0x87, 0x20, ...Array<number>(15).fill(0), 1, ...Array<number>(16).fill(255)]),
]);

/**
 * A certificate for this machine, signed by a certificate authority of this folder's own. Both are made at the first
 * call and kept; the certificate is renewed in time, the authority stays, so that it has to be trusted once only.
 */
export async function provideLocalCertificate(folder: string, now = new Date()): Promise<LocalCertificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = (name: string): string => join(folder, name);
  const files = { authorityFile: at('authority.pem'), certFile: at('localhost.pem'), keyFile: at('localhost-key.pem') };
  const authorityKeyFile = at('authority-key.pem');
  const authority =
    (await readAuthority(files.authorityFile, authorityKeyFile, now)) ??
    (await makeAuthority(files.authorityFile, authorityKeyFile, now));
  if (!(await isGood(files.certFile, authority.certificate, now))) {
    await makeCertificate(files.certFile, files.keyFile, authority, now);
  }
  return files;
}

interface Authority {
  certificate: x509.X509Certificate;
  key: webcrypto.CryptoKey;
}

async function makeAuthority(certFile: string, keyFile: string, now: Date): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Quartermaster on this machine',
    notBefore: new Date(now.getTime() - DAY),
    notAfter: new Date(now.getTime() + AUTHORITY_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      new x509.Extension('2.5.29.30', true, THIS_MACHINE_ALONE),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await write(keyFile, await pemOf(keys.privateKey), 0o600);
  await write(certFile, certificate.toString('pem'), 0o644);
  return { certificate, key: keys.privateKey };
}

/** Null where there is none yet, or none that can sign for long enough. */
async function readAuthority(certFile: string, keyFile: string, now: Date): Promise<Authority | null> {
  const [cert, key] = await Promise.all([certFile, keyFile].map((file) => readOr(file)));
  if (cert === undefined || key === undefined) return null;
  const certificate = new x509.X509Certificate(cert);
  if (certificate.notAfter.getTime() - now.getTime() < CERTIFICATE_DAYS * DAY) return null;
  const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return { certificate, key: await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']) };
}

async function makeCertificate(certFile: string, keyFile: string, authority: Authority, now: Date): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: authority.certificate.subject,
    notBefore: new Date(now.getTime() - DAY),
    notAfter: new Date(now.getTime() + CERTIFICATE_DAYS * DAY),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([...NAMES]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
    ],
  });
  await write(keyFile, await pemOf(keys.privateKey), 0o600);
  await write(certFile, certificate.toString('pem'), 0o644);
}

async function isGood(certFile: string, authority: x509.X509Certificate, now: Date): Promise<boolean> {
  const cert = await readOr(certFile);
  if (cert === undefined) return false;
  const certificate = new X509Certificate(cert);
  const isFresh = certificate.validToDate.getTime() - now.getTime() > RENEWED_BEFORE_DAYS * DAY;
  return isFresh && certificate.verify(new X509Certificate(authority.toString('pem')).publicKey);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function readOr(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** All of it or nothing: a process that watches the file reads no half. */
async function write(file: string, text: string, mode: number): Promise<void> {
  await writeFile(`${file}.new`, `${text.trimEnd()}\n`, { mode });
  await rename(`${file}.new`, file);
}
