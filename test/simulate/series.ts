import { type Mode, type Report, type SimulationOptions, simulate } from './simulation.ts';

export type Series = Omit<SimulationOptions, 'seed' | 'mode'> & {
  from: number;
  count: number;
  /** Left out: by turns. */
  mode?: Mode | undefined;
};

export type Totals = Pick<
  Report,
  'steps' | 'messages' | 'attempts' | 'resent' | 'unknown' | 'crashes' | 'pauses' | 'arrivals'
> & { seeds: number };

/** Runs one seed after the other, and stops at the first in which something does not hold. */
export async function runSeries(series: Series): Promise<{ totals: Totals; failed: Report | undefined }> {
  const { from, count, mode, ...options } = series;
  const totals = none();
  for (let seed = from; seed < from + count; seed++) {
    const one = { ...options, seed, mode: mode ?? (seed % 2 === 0 ? 'safety' : 'liveness') } as const;
    const report = await simulate(one);
    add(totals, report);
    if (report.violation !== undefined) return { totals, failed: await simulate({ ...one, history: true }) };
  }
  return { totals, failed: undefined };
}

export function none(): Totals {
  return {
    seeds: 0,
    steps: 0,
    messages: 0,
    attempts: 0,
    resent: 0,
    unknown: 0,
    crashes: 0,
    pauses: 0,
    arrivals: 0,
  };
}

export function add(totals: Totals, report: Omit<Totals, 'seeds'> & { seeds?: number }): void {
  for (const key of Object.keys(totals) as (keyof Totals)[])
    totals[key] += key === 'seeds' ? (report.seeds ?? 1) : report[key];
}

export function sentence(totals: Totals): string {
  const { seeds, steps, messages, arrivals, attempts, resent, unknown, crashes, pauses } = totals;
  return (
    `${seeds} seeds, ${steps} steps: ${messages} messages, ${attempts} attempts of which ${resent} again, ` +
    `${arrivals} taken by providers, ${unknown} times unknown, ${crashes} crashes, ${pauses} pauses`
  );
}

/** What somebody needs to see why a seed fails, and to see it again. */
export function story({ seed, mode, violation, history, nodes }: Report): string {
  const again = `npm run simulate -- --seed ${seed} --mode ${mode}${nodes === undefined ? '' : ` --nodes ${nodes}`}`;
  return `${history}\n\nseed ${seed} (${mode}): ${violation}\nSee it again with: ${again}\nKeep it in test/simulate/pinned.ts.`;
}
