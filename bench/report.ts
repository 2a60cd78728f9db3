import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

export function printMachine(database: string): void {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  console.log(
    `machine    ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${memory} GiB, load ${load()}`,
  );
  console.log(`node       ${process.version}`);
  console.log(`database   ${database}`);
}

export function printTable(rows: Record<string, string | number>[]): void {
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string) => Math.max(column.length, ...rows.map(row => String(row[column]).length));
  const line = (cells: string[]) =>
    cells
      .map((cell, index) => {
        const size = width(columns[index] ?? '');
        return index === 0 ? cell.padEnd(size) : cell.padStart(size);
      })
      .join('  ');
  console.log();
  console.log(line(columns));
  for (const row of rows) console.log(line(columns.map(column => String(row[column]))));
  console.log();
}

/** The nearest-rank percentile, `p` from 0 to 1. */
export function percentile(values: number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN;
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

function load(): string {
  try {
    return readFileSync('/proc/loadavg', 'utf8').split(' ')[0] ?? '?';
  } catch {
    return '?';
  }
}

/**
 * Says whether the median of the rounds reaches the goal. A goal that lies within what single rounds reached counts as
 * reached: on a shared machine it is not told apart.
 */
export function judge(what: `${string}, at ${'least' | 'most'}`, goal: number, rounds: number[]): boolean {
  const reached = (value: number) => (what.endsWith('least') ? value >= goal : value <= goal);
  const [least, most] = [Math.min(...rounds), Math.max(...rounds)];
  const found = `${median(rounds).toFixed(2)} (rounds ${least.toFixed(2)} to ${most.toFixed(2)})`;
  const word = reached(median(rounds))
    ? 'reached'
    : reached(least) || reached(most)
      ? 'within the spread'
      : 'missed';
  console.log(`goal       ${what} ${goal}: ${found} – ${word}`);
  return word !== 'missed';
}

/** One line for a goal that is reached or not. */
export function verdict(what: string, reached: boolean): boolean {
  console.log(`goal       ${what} – ${reached ? 'reached' : 'missed'}`);
  return reached;
}
