import { pause } from '../../pause.ts';

export type LivenessTimes = {
  /** From one question to the next. */
  everyMs: number;
  /** From a question without an answer to the one that decides. */
  againMs: number;
  /** How long an answer may take. */
  answerMs: number;
  /** How long a stanza may be worked on while nothing else is finished. */
  stallMs: number;
  /** How long the server may be silent about the rest of what it has kept for us. */
  backlogMs: number;
};

/** As WhatsApp's own client, which asks about every half minute. */
export const LIVENESS: LivenessTimes = {
  everyMs: 30_000,
  againMs: 5_000,
  answerMs: 10_000,
  stallMs: 60_000,
  backlogMs: 30_000,
};

export type Trouble = 'not_answering' | 'not_reading';

type Signs = {
  /** Asks the server; undefined = it cannot be told. */
  isAnswered(): Promise<boolean | undefined>;
  /** For how long nothing that came in has been finished. */
  stalledMs(): number;
};

type Findings = {
  /** Something is wrong; the next look decides. */
  unsure(trouble: Trouble): void;
  alive(): void;
  /** The socket is open and of no use. Nothing is watched after that. */
  deaf(trouble: Trouble): void;
};

/**
 * Watches one open socket for being deaf: open, but questions stay without an answer, or what comes in is never
 * finished. Begins `doubtful` behind a socket that was, and then looks at once.
 */
export async function watchLiveness(
  signs: Signs,
  findings: Findings,
  times: LivenessTimes,
  doubtful: boolean,
  over: AbortSignal,
): Promise<void> {
  let unsure = doubtful;
  if (!doubtful) await pause(times.everyMs, over);
  while (!over.aborted) {
    const trouble = await lookFor(signs, times.stallMs);
    if (over.aborted) return;
    if (!trouble) {
      if (unsure) findings.alive();
      unsure = false;
    } else if (unsure) {
      findings.deaf(trouble);
      return;
    } else {
      unsure = true;
      findings.unsure(trouble);
    }
    await pause(unsure ? times.againMs : times.everyMs, over);
  }
}

async function lookFor(signs: Signs, stallMs: number): Promise<Trouble | undefined> {
  if ((await signs.isAnswered()) === false) return 'not_answering';
  return signs.stalledMs() > stallMs ? 'not_reading' : undefined;
}
