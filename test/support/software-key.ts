import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type {
  KeyAnswer,
  KeyRequest,
  NewKeyAnswer,
  NewKeyRequest,
} from '../../src/platform/sign-in/security-keys/key-answers.js';

/** What of an answer isn't as it should be. */
interface Lie {
  origin?: string;
  rpId?: string;
  challenge?: string;
  /** Without a PIN or a finger. */
  isVerified?: false;
  /** In the place of the next one. */
  counter?: number;
  /** By which other key it is really signed. */
  signedBy?: SoftwareKey;
  /** Though nobody asked of which make it is. */
  attested?: Attested;
}

/** How a key says of which make it is: the format, and the statement in CBOR. */
export type Attested = (about: {
  /** Of the authenticator. */
  data: Buffer;
  clientDataHash: Buffer;
  publicKey: KeyObject;
  privateKey: KeyObject;
}) => { format: string; statement: Buffer };

const NOT_ATTESTED: Attested = () => ({ format: 'none', statement: Buffer.from([0xa0]) });

const PRESENT = 0x01;
const VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();

/** A security key and the browser around it, in software: it answers what it is asked, and lies where a test wants it to. */
export class SoftwareKey {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  private readonly credential = randomBytes(16);
  private counter = 0;

  /** @param origin of the page that asks it */
  constructor(private readonly origin: string) {}

  create({ challenge, rp }: NewKeyRequest, lie: Lie = {}): NewKeyAnswer {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.credential.length);
    const credential = Buffer.concat([Buffer.alloc(16), length, this.credential, this.coseKey()]);
    const data = Buffer.concat([this.header(rp.id, lie, HAS_CREDENTIAL), credential]);
    const clientData = this.clientData('webauthn.create', challenge, lie);
    const { attested = NOT_ATTESTED } = lie;
    const { format, statement } = attested({ data, clientDataHash: sha256(clientData), ...this.keys });
    const attestation = Buffer.concat([
      // CBOR (RFC 8949): {"fmt": format, "attStmt": statement, "authData": data}
      Buffer.from([0xa3, 0x63]),
      Buffer.from('fmt'),
      Buffer.from([0x60 + format.length]),
      Buffer.from(format),
      Buffer.from([0x67]),
      Buffer.from('attStmt'),
      statement,
      Buffer.from([0x68]),
      Buffer.from('authData'),
      Buffer.from([0x58, data.length]),
      data,
    ]);
    return {
      ...this.named(),
      response: {
        clientDataJSON: clientData.toString('base64url'),
        attestationObject: attestation.toString('base64url'),
        transports: ['usb'],
      },
    };
  }

  get({ challenge, rpId }: KeyRequest, lie: Lie = {}): KeyAnswer {
    const clientData = this.clientData('webauthn.get', challenge, lie);
    const data = this.header(rpId, lie);
    const { privateKey } = (lie.signedBy ?? this).keys;
    return {
      ...this.named(),
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', Buffer.concat([data, sha256(clientData)]), privateKey).toString('base64url'),
      },
    };
  }

  private named(): Pick<KeyAnswer, 'id' | 'rawId' | 'type'> {
    const id = this.credential.toString('base64url');
    return { id, rawId: id, type: 'public-key' };
  }

  private clientData(type: string, asked: string, { challenge = asked, origin = this.origin }: Lie): Buffer {
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  }

  /** The begin of authenticator data (Web Authentication level 3, section 6.1). */
  private header(asked: string, { rpId = asked, counter = this.counter + 1, isVerified }: Lie, more = 0): Buffer {
    this.counter = counter;
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    const flags = PRESENT | (isVerified === false ? 0 : VERIFIED) | more;
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count]);
  }

  /** EC2, ES256, P-256 and the two coordinates, in CBOR (RFC 9053, section 7.1.1). */
  private coseKey(): Buffer {
    const { x = '', y = '' } = this.keys.publicKey.export({ format: 'jwk' });
    return Buffer.concat([
      Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
      Buffer.from(x, 'base64url'),
      Buffer.from([0x22, 0x58, 0x20]),
      Buffer.from(y, 'base64url'),
    ]);
  }
}
