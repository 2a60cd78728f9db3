const METHODS = ['debug', 'log', 'info', 'warn', 'error', 'trace', 'dir'] as const;

/** Libraries that print Signal records, private and chain keys included, with console.* . */
const TALKATIVE = /[\\/]node_modules[\\/](libsignal|baileys)[\\/]/;

let installed = false;

/**
 * Drops what libsignal and Baileys write to the console, and only that. libsignal prints whole records
 * when it opens, closes or fails with one; nothing of it may reach a log. Safe to call more than once.
 */
export function guardConsole(): void {
  if (installed) return;
  installed = true;
  for (const method of METHODS) {
    const original = console[method].bind(console);
    console[method] = (...words: unknown[]) => {
      if (!isFromTalkative()) original(...words);
    };
  }
}

function isFromTalkative(): boolean {
  const trap: { stack?: string } = {};
  Error.captureStackTrace(trap, isFromTalkative);
  // The first frame is the guard itself, the next one whoever called the console.
  const caller = trap.stack?.split('\n').slice(2, 4).join('\n') ?? '';
  return TALKATIVE.test(caller);
}
