import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { inflateSync } from 'node:zlib';
import { decodeDecompressedBinaryNode } from 'baileys';
import { WebSocket } from 'ws';
import { step } from './steps.ts';

/** Enough for the frames that are under way at one moment. */
const REMEMBERED = 64;
const HEAD = 16;

/** Plaintexts of what was enciphered last, by the first bytes of their ciphertext. */
const plains = new Map<string, Buffer>();

/** Of Baileys: its reader wants its own tables, which it does not export. */
const tables = await import(new URL('WABinary/constants.js', import.meta.resolve('baileys')).href);

/**
 * Makes each write to a WebSocket a pair of steps: before it, and when the operating system has all of it. What is
 * written is known by its stanza: the cipher that closes each frame is listened to.
 */
export function watchWire(): void {
  rememberPlaintexts();
  const { send } = WebSocket.prototype;
  const watched = function (this: WebSocket, data: Uint8Array, done?: (error?: Error) => void): void {
    const kind = kindOf(Buffer.from(data));
    step(`wire ${kind} before`);
    send.call(this, data, {}, error => {
      if (!error) step(`wire ${kind} after`);
      done?.(error);
    });
  };
  Object.assign(WebSocket.prototype, { send: watched });
}

function rememberPlaintexts(): void {
  const { createCipheriv } = crypto;
  const listening = (...given: Parameters<typeof createCipheriv>) => {
    const cipher = createCipheriv(...given);
    const update = cipher.update.bind(cipher) as (data: Buffer) => Buffer;
    const heard = (data: Buffer) => {
      const sealed = update(data);
      if (Buffer.isBuffer(sealed) && Buffer.isBuffer(data)) remember(sealed, data);
      return sealed;
    };
    return given[0] === 'aes-256-gcm' ? Object.assign(cipher, { update: heard }) : cipher;
  };
  Object.assign(crypto, { createCipheriv: listening });
  syncBuiltinESMExports();
}

function remember(sealed: Buffer, plain: Buffer): void {
  plains.set(sealed.toString('hex', 0, HEAD), plain);
  const oldest = plains.keys().next().value;
  if (plains.size > REMEMBERED && oldest !== undefined) plains.delete(oldest);
}

function kindOf(frame: Buffer): string {
  const plain = plains.get(frame.toString('hex', 3, 3 + HEAD));
  if (plain === undefined) return 'handshake';
  const whole = plain.readUInt8() & 2 ? inflateSync(plain.subarray(1)) : plain.subarray(1);
  const { tag, attrs, content } = decodeDecompressedBinaryNode(whole, tables);
  const [first] = Array.isArray(content) ? content : [];
  if (tag === 'iq') return ['iq', attrs.xmlns ?? attrs.type, first?.tag].filter(Boolean).join(' ');
  return [tag, attrs.class ?? attrs.type].filter(Boolean).join(' ');
}
