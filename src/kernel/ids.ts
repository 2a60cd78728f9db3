import { randomFillSync } from 'node:crypto';

let lastMs = 0;
let counter = 0;

/** Drawn in advance: a call into the generator costs more than the bytes of one id. */
const pool = Buffer.alloc(8_192);
let drawn = pool.length;

/** So many random bytes, 256 at most; a view that is given to nobody else. */
export function randomPart(size: number): Buffer {
  if (drawn + size > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += size;
  return Buffer.from(pool.subarray(drawn - size, drawn));
}

/**
 * A uuidv7 made by the application: 48 bits of milliseconds, a 12-bit counter that keeps the ids of
 * one process in order within a millisecond, 62 random bits. RFC 9562 section 6.2, method 1.
 */
export function newId(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = randomPart(2).readUInt16BE() & 0x3ff;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  const random = randomPart(8);
  random.writeUInt8(0x80 | (random.readUInt8(0) & 0x3f), 0);
  const time = lastMs.toString(16).padStart(12, '0');
  const rest = random.toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${rest.slice(0, 4)}-${rest.slice(4)}`;
}

/** The lowest id that can be made at this instant. */
export function firstId(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether `text` is a lower-case uuid of any version. */
export function isId(text: string): boolean {
  return shape.test(text);
}
