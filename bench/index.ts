/**
 * Benchmarks that print ratios against a limit taken in the same run: single numbers of a shared
 * machine mean little. `npm run bench -- schedule|outbox|numbers|backlog [--option value]`; `outbox` also
 * takes `--gate`, `--pinned` and `--linked`.
 */
import { benchBacklog } from './backlog.ts';
import { benchNumbers } from './numbers.ts';
import { benchOutbox } from './outbox.ts';
import { benchSchedule } from './schedule.ts';

const benches: Record<string, (args: string[]) => Promise<boolean>> = {
  schedule: benchSchedule,
  outbox: benchOutbox,
  numbers: benchNumbers,
  backlog: benchBacklog,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  console.error(`Name one of: ${Object.keys(benches).join(', ')}. For example: npm run bench -- schedule`);
  process.exitCode = 1;
} else {
  // A number without its correctness count is worth nothing: a run that lost or doubled something fails.
  const valid = await bench(args);
  if (!valid) {
    console.error('VOID: the counts above are not what they must be.');
    process.exitCode = 1;
  }
}
