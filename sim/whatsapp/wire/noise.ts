import type { KeyPair } from 'baileys';
import {
  aesDecryptGCM,
  aesEncryptGCM,
  Curve,
  hkdf,
  NOISE_MODE,
  NOISE_WA_HEADER,
  proto,
  sha256,
} from 'baileys';
import type { Certificates } from './certificates.ts';

const EMPTY = Buffer.alloc(0);
const MAX_FRAME_BYTES = 4 * 1024 * 1024;

export type Login = { noiseKey: Buffer; payload: proto.ClientPayload };

/** The server's side of Noise XX as WhatsApp uses it: handshake state first, then two transport counters. */
export class Noise {
  readonly #certificates: Certificates;
  #hash: Buffer = Buffer.from(NOISE_MODE);
  #salt: Buffer = this.#hash;
  #key: Buffer = this.#hash;
  #counter = 0;
  #ephemeral: KeyPair = Curve.generateKeyPair();
  #reading: Buffer | undefined;
  #writing: Buffer | undefined;
  #read = 0;
  #written = 0;

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
  }

  get established(): boolean {
    return this.#reading !== undefined;
  }

  /** Answers the client's first frame with our ephemeral key, static key and certificate chain. */
  hello(frame: Buffer): Buffer {
    const { clientHello } = proto.HandshakeMessage.decode(frame);
    if (!clientHello?.ephemeral) throw new Error('first frame is no client hello');
    this.#mixHash(Buffer.from(NOISE_WA_HEADER));
    this.#mixHash(Buffer.from(clientHello.ephemeral));
    this.#mixHash(Buffer.from(this.#ephemeral.public));
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, clientHello.ephemeral));
    const shownKey = this.#seal(this.#certificates.staticKey.public);
    this.#mixKey(Curve.sharedKey(this.#certificates.staticKey.private, clientHello.ephemeral));
    const payload = this.#seal(this.#certificates.chain);
    const serverHello = { ephemeral: this.#ephemeral.public, static: shownKey, payload };
    return framed(Buffer.from(proto.HandshakeMessage.encode({ serverHello }).finish()));
  }

  /** Reads the client's second frame; from here on the transport keys are in force, swapped against the client's. */
  finish(frame: Buffer): Login {
    const { clientFinish } = proto.HandshakeMessage.decode(frame);
    if (!clientFinish?.static || !clientFinish.payload) throw new Error('second frame is no client finish');
    const noiseKey = this.#open(Buffer.from(clientFinish.static));
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, noiseKey));
    const payload = proto.ClientPayload.decode(this.#open(Buffer.from(clientFinish.payload)));
    [this.#reading, this.#writing] = this.#expand(EMPTY);
    return { noiseKey, payload };
  }

  decrypt(frame: Buffer): Buffer {
    if (!this.#reading) throw new Error('handshake not finished');
    return aesDecryptGCM(frame, this.#reading, nonce(this.#read++), EMPTY);
  }

  encrypt(plain: Uint8Array): Buffer {
    if (!this.#writing) throw new Error('handshake not finished');
    return framed(aesEncryptGCM(plain, this.#writing, nonce(this.#written++), EMPTY));
  }

  #mixHash(data: Buffer): void {
    this.#hash = sha256(Buffer.concat([this.#hash, data]));
  }

  #mixKey(secret: Uint8Array): void {
    [this.#salt, this.#key] = this.#expand(secret);
    this.#counter = 0;
  }

  #expand(secret: Uint8Array): [Buffer, Buffer] {
    const both = Buffer.from(hkdf(Buffer.from(secret), 64, { salt: this.#salt, info: '' }));
    return [both.subarray(0, 32), both.subarray(32)];
  }

  #seal(plain: Uint8Array): Buffer {
    const sealed = aesEncryptGCM(plain, this.#key, nonce(this.#counter++), this.#hash);
    this.#mixHash(sealed);
    return sealed;
  }

  #open(sealed: Buffer): Buffer {
    const plain = aesDecryptGCM(sealed, this.#key, nonce(this.#counter++), this.#hash);
    this.#mixHash(sealed);
    return plain;
  }
}

/** Cuts the byte stream of one socket into frames; the very first bytes are WhatsApp's header, maybe after a routing block. */
export class Frames {
  #rest: Buffer = EMPTY;
  #headerSeen = false;

  push(data: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, data]);
    if (!this.#headerSeen && !this.#takeHeader()) return [];
    const frames: Buffer[] = [];
    while (this.#rest.length >= 3) {
      const size = this.#rest.readUIntBE(0, 3);
      if (size > MAX_FRAME_BYTES) throw new Error('frame too large');
      if (this.#rest.length < size + 3) break;
      frames.push(this.#rest.subarray(3, size + 3));
      this.#rest = this.#rest.subarray(size + 3);
    }
    return frames;
  }

  #takeHeader(): boolean {
    let start = 0;
    if (this.#rest.subarray(0, 2).toString('latin1') === 'ED') {
      if (this.#rest.length < 7) return false;
      start = 7 + this.#rest.readUIntBE(4, 3);
    }
    if (this.#rest.length < start + NOISE_WA_HEADER.length) return false;
    if (!this.#rest.subarray(start, start + NOISE_WA_HEADER.length).equals(NOISE_WA_HEADER)) {
      throw new Error('not a WhatsApp Web client');
    }
    this.#rest = this.#rest.subarray(start + NOISE_WA_HEADER.length);
    this.#headerSeen = true;
    return true;
  }
}

function nonce(counter: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}

function framed(data: Buffer): Buffer {
  const size = Buffer.alloc(3);
  size.writeUIntBE(data.length, 0, 3);
  return Buffer.concat([size, data]);
}
