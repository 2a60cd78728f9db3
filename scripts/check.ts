import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { checkGlossary } from './checks/glossary.ts';
import { checkRooms } from './checks/rooms.ts';
import { readSources } from './checks/sources.ts';
import { checkSupplyChain } from './checks/supply-chain.ts';
import { checkUnused } from './checks/unused.ts';

/** `npm run check`: everything that needs no database and no browser, in under a minute. */
const root = fileURLToPath(new URL('..', import.meta.url));

type Step = { name: string; run: () => Promise<string | undefined> };

const steps: Step[] = [
  { name: 'format and lint', run: () => tool('biome', ['check', '.', '--diagnostic-level=error']) },
  {
    name: 'promises and cycles',
    run: () => tool('oxlint', ['--type-aware', 'src', 'sim', 'web', 'test', 'bench', 'scripts']),
  },
  { name: 'types', run: () => tool('tsc', ['-p', '.']) },
  { name: 'types of the web app', run: () => tool('tsc', ['--noEmit', '-p', 'web']) },
  { name: 'room order', run: async () => said(checkRooms(readSources(root))) },
  { name: 'glossary', run: async () => said(checkGlossary(root, readSources(root))) },
  { name: 'supply chain', run: async () => said(checkSupplyChain(root)) },
  { name: 'unused code', run: async () => said(checkUnused(readSources(root))) },
  { name: 'pure tests', run: () => tool('vitest', ['run', '--project', 'pure', '--reporter', 'dot']) },
];

let failed = 0;
const skipTests = process.argv.includes('--no-tests');
for (const pair of inPairs(steps.filter(step => !skipTests || step.name !== 'pure tests'))) {
  const outcomes = await Promise.all(pair.map(async step => ({ step, ...(await timed(step)) })));
  for (const { step, problem, ms } of outcomes) {
    console.log(`${problem === undefined ? 'ok  ' : 'FAIL'} ${step.name} (${(ms / 1000).toFixed(1)} s)`);
    if (problem !== undefined) {
      failed += 1;
      console.log(problem);
    }
  }
}
process.exitCode = failed > 0 ? 1 : 0;

/** Two at a time: the machines that this runs on have two cores. */
function inPairs<T>(list: T[]): T[][] {
  return list.flatMap((_, index) => (index % 2 === 0 ? [list.slice(index, index + 2)] : []));
}

async function timed(step: Step): Promise<{ problem: string | undefined; ms: number }> {
  const from = performance.now();
  const problem = await step.run();
  return { problem, ms: performance.now() - from };
}

function said(problems: string[]): string | undefined {
  return problems.length > 0 ? problems.join('\n') : undefined;
}

function tool(name: string, args: string[]): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(`${root}/node_modules/.bin/${name}`, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    child.stdout.on('data', chunk => out.push(chunk));
    child.stderr.on('data', chunk => out.push(chunk));
    child.on('error', error => resolve(String(error)));
    child.on('close', code => resolve(code === 0 ? undefined : Buffer.concat(out).toString()));
  });
}
