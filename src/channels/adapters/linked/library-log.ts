import type { SocketConfig } from 'baileys';
import type { Logger } from 'pino';
import { noteLibraryFault } from './requests.ts';

type LibraryLogger = SocketConfig['logger'];

/**
 * Lets Baileys' warnings through as debug lines of ours: the sentence and the error's message only. The objects
 * that it logs hold stanzas, keys and numbers, so they are dropped, and long numbers in sentences are masked.
 * `onError` hears of each error before Baileys goes on.
 */
export function libraryLog(
  log: Logger,
  onError: (sentence: string | undefined, error: unknown) => void = () => undefined,
): LibraryLogger {
  const pass = (thing: unknown, sentence?: string) => {
    const said = sentence ?? (typeof thing === 'string' ? thing : '');
    log.debug({ event: 'linked.library', said: masked(said), error: errorIn(thing) });
  };
  const logger: LibraryLogger = {
    level: 'warn',
    child: () => logger,
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: pass,
    error: (thing: unknown, sentence?: string) => {
      noteLibraryFault();
      pass(thing, sentence);
      onError(sentence, innerOf(thing));
    },
  };
  return logger;
}

function errorIn(thing: unknown): string | undefined {
  const inner = innerOf(thing);
  return inner instanceof Error ? masked(inner.message) : undefined;
}

function innerOf(thing: unknown): unknown {
  if (thing instanceof Error || typeof thing !== 'object' || thing === null) return thing;
  const { err, error } = thing as { err?: unknown; error?: unknown };
  return err ?? error;
}

function masked(text: string): string {
  return text
    .slice(0, 300)
    .replace(/\d{6,}/g, '••••')
    .replace(/[A-Za-z0-9+/=_-]{32,}/g, '••••');
}
