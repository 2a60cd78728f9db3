import { AsyncLocalStorage } from 'node:async_hooks';

const METHODS = ['debug', 'log', 'info', 'warn', 'error', 'trace'] as const;
const inside = new AsyncLocalStorage<true>();
let installed = false;

/**
 * Runs the Signal work of a phone with the console shut: libsignal prints whole records, private keys included.
 * Only calls made from within are dropped, so a test can still see what the product itself prints.
 */
export function quietly<T>(work: () => Promise<T>): Promise<T> {
  if (!installed) install();
  return inside.run(true, work);
}

function install(): void {
  installed = true;
  for (const method of METHODS) {
    const original = console[method].bind(console);
    console[method] = (...words: unknown[]) => {
      if (!inside.getStore()) original(...words);
    };
  }
}

/** For the simulator's own process: nothing at all goes through the console. */
export function silenceConsole(): void {
  for (const method of METHODS) console[method] = () => undefined;
}

/** The logger that Baileys' parts ask for; the simulator keeps its own ledger instead of logs. */
export const noLogger = {
  level: 'silent',
  child: () => noLogger,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
