import type { SocketConfig } from 'baileys';
import type { Logger } from 'pino';
import { noteLibraryFault } from './requests.ts';

type LibraryLogger = SocketConfig['logger'];

/**
 * Lets Baileys' warnings through as debug lines of ours: the sentence and the error's message only. The objects
 * that it logs hold stanzas, keys and numbers, so they are dropped, and long numbers in sentences are masked.
 */
export function libraryLog(log: Logger): LibraryLogger {
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
    },
  };
  return logger;
}

function errorIn(thing: unknown): string | undefined {
  if (thing instanceof Error) return masked(thing.message);
  if (typeof thing !== 'object' || thing === null) return undefined;
  const { err, error } = thing as { err?: unknown; error?: unknown };
  const inner = err ?? error;
  return inner instanceof Error ? masked(inner.message) : undefined;
}

function masked(text: string): string {
  return text
    .slice(0, 300)
    .replace(/\d{6,}/g, '••••')
    .replace(/[A-Za-z0-9+/=_-]{32,}/g, '••••');
}
