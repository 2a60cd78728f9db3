import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPostgres15 } from '../test/harness/postgres-server.ts';

/** `npm test`: everything that CI runs. Ends with one line that sums up all runs. */
const root = fileURLToPath(new URL('..', import.meta.url));
const reports = mkdtempSync(join(tmpdir(), 'convoke-test-'));
/** Meant for what hangs: a slow machine must run into neither, and a suite of half an hour helps nobody. */
const STEP_MS = 15 * 60_000;
const ALL_MS = 30 * 60_000;
const startedAt = performance.now();
const figures = join(root, 'figures');

type Step = { name: string; args: string[]; env?: Record<string, string>; report?: string };
type Outcome = { passed: number; failed: number; skipped: string[] };

/** Of a JSON report of vitest, the part that is read here. */
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
};

const running = new Set<ChildProcess>();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopped = true;
    for (const child of running) child.kill(signal);
  });
}

const outcomes: Outcome[] = [];
rmSync(figures, { recursive: true, force: true });
try {
  await inTurn([script('check', 'scripts/check.ts', '--no-tests'), ...webApp()]);
  // Two lanes for two cores, the longest first; chaos waits more than it works, so it may have company.
  await inLanes(2, [
    vitest('crash', ['crash']),
    vitest('rooms on the embedded database', ['rooms'], 'embedded'),
    vitest('journeys', ['journeys']),
    vitest('rooms on PostgreSQL 18', ['rooms'], 'postgres18'),
    ...onPostgres15(),
    vitest('pure and simulators', ['pure', 'sim']),
    vitest('chaos', ['chaos']),
  ]);
  await inTurn([vitest('secrets in any output', ['canary'])]);
} finally {
  rmSync(reports, { recursive: true, force: true });
}
tellFigures();
summarise();

function script(name: string, path: string, ...args: string[]): Step {
  return { name, args: [path, ...args] };
}

function vitest(name: string, projects: string[], engine?: string): Step {
  const report = join(reports, `${name.replaceAll(' ', '-')}.json`);
  const chosen = projects.flatMap(project => ['--project', project]);
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  return {
    name,
    args: ['node_modules/vitest/vitest.mjs', 'run', ...chosen, ...reporters],
    env: engine === undefined ? {} : { CONVOKE_TEST_ENGINE: engine },
    report,
  };
}

function webApp(): Step[] {
  return existsSync(join(root, 'web/index.html')) ? [script('web app', 'scripts/build-web.ts')] : [];
}

function onPostgres15(): Step[] {
  if (findPostgres15()) return [vitest('rooms on PostgreSQL 15', ['rooms'], 'postgres15')];
  console.log('Without rooms on PostgreSQL 15: this machine has no binaries of it.');
  return [];
}

async function inTurn(steps: Step[]): Promise<void> {
  for (const step of steps) if (!stopped) outcomes.push(await run(step));
}

/** A lane that has ended a step takes the next one. */
async function inLanes(lanes: number, steps: Step[]): Promise<void> {
  const waiting = [...steps];
  const lane = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) await inTurn([step]);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function run(step: Step): Promise<Outcome> {
  const from = performance.now();
  const { code, said } = await start(step);
  const outcome = step.report === undefined ? { passed: 0, failed: 0, skipped: [] } : read(step.report);
  if (code !== 0 && outcome.failed === 0) outcome.failed = 1;
  if (step.report !== undefined && outcome.passed + outcome.failed === 0) outcome.failed = 1;
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  const counts = step.report === undefined ? '' : `: ${outcome.passed} passed, ${outcome.failed} failed`;
  console.log(`${outcome.failed === 0 ? 'ok  ' : 'FAIL'} ${step.name}${counts} (${seconds} s)`);
  if (outcome.failed > 0) console.log(said);
  for (const name of outcome.skipped) console.log(`     skipped: ${name}`);
  return outcome;
}

function start(step: Step): Promise<{ code: number | null; said: string }> {
  // A database that the shell points at is not ours to test on.
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, step.args, {
    cwd: root,
    env: { ...env, NO_COLOR: '1', ...step.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  const hear = (chunk: Buffer) => {
    said += chunk.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const most = Math.max(0, Math.min(STEP_MS, startedAt + ALL_MS - performance.now()));
  const timer = setTimeout(() => {
    said += `\n${step.name} took longer than ${Math.round(most / 1000)} s.`;
    child.kill('SIGTERM');
  }, most);
  return new Promise(resolve => {
    child.once('close', code => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, said });
    });
  });
}

/** A file that cannot even be loaded has no tests, and still counts as one failure. */
function read(path: string): Outcome {
  if (!existsSync(path)) return { passed: 0, failed: 0, skipped: [] };
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
  const broken = report.testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  );
  const skipped = report.testResults.flatMap(file =>
    file.assertionResults.filter(
      ({ status }) => status === 'skipped' || status === 'pending' || status === 'todo',
    ),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: skipped.map(({ fullName }) => fullName),
  };
}

/** What the tests of crashes and faults have counted; docs/RELIABILITY.md is made of the same. */
function tellFigures(): void {
  if (!existsSync(figures)) return;
  for (const name of readdirSync(figures)
    .filter(file => file.endsWith('.json'))
    .sort()) {
    const { counted } = JSON.parse(readFileSync(join(figures, name), 'utf8')) as { counted: string };
    console.log(`${name.replace('.json', '')}: ${counted}`);
  }
}

function summarise(): void {
  const sum = (count: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  const passed = sum(outcome => outcome.passed);
  const failed = sum(outcome => outcome.failed);
  if (failed > 0 || passed === 0 || stopped) process.exitCode = 1;
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(`took ${minutes} minutes`);
  console.log(`${passed} passed, ${failed} failed`);
}
