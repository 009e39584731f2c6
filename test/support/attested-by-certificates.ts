import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { Attested } from './software-key.js';

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');
const ECDSA_WITH_SHA256 = hex('300a06082a8648ce3d040302');
const COMMON_NAME = hex('0603550403');
const CRL_DISTRIBUTION_POINTS = hex('0603551d1f');
/** Android's key attestation: what a key is, and for which challenge. */
const KEY_DESCRIPTION = hex('060a2b06010401d679020111');

/** One value in DER (X.690). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), body]);
}
const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts);
const number = (value: number): Buffer => der(0x02, Buffer.from([value]));
const octets = (value: Buffer): Buffer => der(0x04, value);
const named = (name: string): Buffer => sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));

/** RFC 5280, section 4.1. */
function certificate(subject: string, key: KeyObject, issuerKey: KeyObject, extensions: Buffer[]): Buffer {
  const toBeSigned = sequence(
    der(0xa0, number(2)),
    number(1),
    ECDSA_WITH_SHA256,
    named('a root of somebody’s own'),
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
    named(subject),
    key.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  return sequence(toBeSigned, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, issuerKey)));
}

/** A byte string in CBOR (RFC 8949), of 24 bytes or more. */
function bytes(value: Buffer): Buffer {
  const { length } = value;
  const head = length < 0x100 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

/** As an Android phone attests, but by a root of the sender's own, whose revocations are said to be listed at `url`. */
export function attestedByCertificates(url: string): Attested {
  return ({ data, clientDataHash, publicKey, privateKey }) => {
    const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const listed = sequence(sequence(der(0xa0, der(0xa0, der(0x86, Buffer.from(url))))));
    const level = der(0x0a, Buffer.from([1]));
    const description = sequence(
      number(3),
      level,
      number(4),
      level,
      octets(clientDataHash),
      octets(Buffer.alloc(0)),
      sequence(),
      sequence(),
    );
    const leaf = certificate('a key', publicKey, root.privateKey, [
      sequence(CRL_DISTRIBUTION_POINTS, octets(listed)),
      sequence(KEY_DESCRIPTION, octets(description)),
    ]);
    const anchor = certificate('a root of somebody’s own', root.publicKey, root.privateKey, []);
    const signature = sign('sha256', Buffer.concat([data, clientDataHash]), privateKey);
    // {"alg": -7, "sig": …, "x5c": [leaf, anchor]}
    const names = ['alg', 'sig', 'x5c'].map((name) => Buffer.concat([Buffer.from([0x63]), Buffer.from(name)]));
    const values = [
      Buffer.from([0x26]),
      bytes(signature),
      Buffer.concat([Buffer.from([0x82]), bytes(leaf), bytes(anchor)]),
    ];
    const pairs = names.flatMap((name, at) => [name, values[at] ?? Buffer.alloc(0)]);
    return { format: 'android-key', statement: Buffer.concat([Buffer.from([0xa3]), ...pairs]) };
  };
}
