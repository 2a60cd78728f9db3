import { readFileSync } from 'node:fs';

/**
 * Loaded before a program and into each of its threads: its wall clock differs from the machine's by as many ms as
 * the file says, from the moment on that it says so. Clocks that cannot be set go on as they were.
 */
const file = process.env.SHIFT_FILE ?? '';
const FRESH_MS = 20;
const Real = Date;

let shift = { ms: 0, readAt: Number.NEGATIVE_INFINITY };

function now(): number {
  if (performance.now() - shift.readAt > FRESH_MS) {
    shift = { ms: Number(readFileSync(file, 'utf8')), readAt: performance.now() };
  }
  return Real.now() + shift.ms;
}

globalThis.Date = new Proxy(Real, {
  construct: (real, given, made) => Reflect.construct(real, given.length === 0 ? [now()] : given, made),
  apply: () => new Real(now()).toString(),
  get: (real, name) => (name === 'now' ? now : Reflect.get(real, name)),
});
