import { afterAll, describe, expect, it } from 'vitest';
import { pinned } from './pinned.ts';
import { add, none, runSeries, type Series, sentence, story } from './series.ts';
import { simulate } from './simulation.ts';

const SEEDS = 1_000;
const SHARE = 100;
const MINUTES = 5 * 60_000;

const totals = none();
afterAll(() => console.log(sentence(totals)));

async function holds(series: Series): Promise<void> {
  const { totals: some, failed } = await runSeries(series);
  add(totals, some);
  expect(failed && story(failed)).toBeUndefined();
}

const shares = (count: number) => Array.from({ length: count / SHARE }, (_, n) => n * SHARE + 1);

describe('the engine in a world where everything fails now and then', () => {
  it.each(shares(SEEDS))(
    'neither loses a message nor sends one twice, from seed %i',
    from => holds({ from, count: SHARE }),
    MINUTES,
  );

  it.each(shares(200))(
    'sends on a channel from one of two nodes at a time, from seed %i',
    from => holds({ from: 50_000 + from, count: SHARE, nodes: 2, kinds: ['linked'] }),
    MINUTES,
  );

  it.each(pinned)('still holds where it did not once: $what', async ({ what: _, ...options }) => {
    const report = await simulate({ ...options, history: true });
    expect(report.violation === undefined || story(report)).toBe(true);
  });

  it('repeats every step of a seed', async () => {
    const [first, second] = [
      await simulate({ seed: 7, mode: 'liveness', history: true }),
      await simulate({ seed: 7, mode: 'liveness', history: true }),
    ];
    expect(first.messages).toBeGreaterThan(5);
    expect(second).toEqual(first);
  });
});
