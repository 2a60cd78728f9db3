import { describe, expect, it } from 'vitest';
import { watchLiveness } from './liveness.ts';

const TIMES = { everyMs: 1, againMs: 1, answerMs: 1, stallMs: 1_000, backlogMs: 1 };

/** Watches while the answers last; what is found is written down. */
async function found(
  answers: (boolean | undefined)[],
  { doubtful = false, stalledMs = [] as number[] } = {},
): Promise<string[]> {
  const over = new AbortController();
  const seen: string[] = [];
  const signs = {
    isAnswered: async () => {
      if (answers.length === 0) over.abort();
      return answers.shift();
    },
    stalledMs: () => stalledMs.shift() ?? 0,
  };
  const findings = {
    unsure: (reason: string) => seen.push(`unsure ${reason}`),
    alive: () => seen.push('alive'),
    deaf: (reason: string) => seen.push(`deaf ${reason}`),
  };
  await watchLiveness(signs, findings, TIMES, doubtful, over.signal);
  return seen;
}

describe('the watch over a socket', () => {
  it('says nothing while there are answers, or while it cannot be told', async () => {
    expect(await found([true, undefined, true])).toEqual([]);
  });

  it('is unsure once and decides the second time', async () => {
    expect(await found([true, false, true, false, false, true])).toEqual([
      'unsure not_answering',
      'alive',
      'unsure not_answering',
      'deaf not_answering',
    ]);
  });

  it('hears also that what comes in is not finished', async () => {
    expect(await found([true, true, true], { stalledMs: [0, 1_001, 61_001] })).toEqual([
      'unsure not_reading',
      'deaf not_reading',
    ]);
  });

  it('begins in doubt behind a deaf socket', async () => {
    expect(await found([true, true], { doubtful: true })).toEqual(['alive']);
    expect(await found([false], { doubtful: true })).toEqual(['deaf not_answering']);
  });
});
