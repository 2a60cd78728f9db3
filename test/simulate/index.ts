/** `npm run simulate -- --seeds 10000`: more seeds than a test run has time for, or one of them with its history. */
import { parseArgs } from 'node:util';
import { runSeries, sentence, story } from './series.ts';
import { type Mode, simulate } from './simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    mode: { type: 'string' },
    nodes: { type: 'string' },
  },
});
if (values.mode !== undefined && values.mode !== 'safety' && values.mode !== 'liveness') {
  console.error('Choose --mode safety or --mode liveness.');
  process.exit(1);
}
const mode: Mode | undefined = values.mode;
const more = values.nodes === undefined ? {} : { nodes: Number(values.nodes) };
if (values.seed !== undefined) {
  const report = await simulate({
    seed: Number(values.seed),
    mode: mode ?? 'safety',
    history: true,
    ...more,
  });
  console.log(report.violation === undefined ? report.history : story(report));
  console.log(report.violation ?? 'Everything holds.');
  process.exitCode = report.violation === undefined ? 0 : 1;
} else {
  const started = performance.now();
  const from = Number(values.from);
  const { totals, failed } = await runSeries({ from, count: Number(values.seeds), mode, ...more });
  if (failed) console.log(story(failed));
  console.log(`${sentence(totals)} (${((performance.now() - started) / 1_000).toFixed(1)} s)`);
  process.exitCode = failed ? 1 : 0;
}
