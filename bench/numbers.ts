import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { type Simulators, startSimulators } from '../sim/world.ts';
import { createChannels, createLinkedAdapter } from '../src/channels/index.ts';
import type { Scope } from '../src/kernel/index.ts';
import { benchWorkspace, type Ground, openGround } from './ground.ts';
import type { Sample } from './numbers-node.ts';
import { pairNumber } from './pairing.ts';
import { printMachine, printTable, verdict } from './report.ts';

const AT_ONCE = 2;
const GOAL_MB = 4;

/**
 * Memory per idle paired number: numbers are paired first, then a fresh node takes them over step by step and
 * tells its memory after a garbage collection. The slope counts; the simulator is a process of its own. Then a second
 * node takes over all of them at once, as after a restart.
 */
export async function benchNumbers(args: string[]): Promise<boolean> {
  const { values } = parseArgs({
    args,
    options: { numbers: { type: 'string', default: '200' }, steps: { type: 'string', default: '5' } },
  });
  const [numbers, steps] = [Number(values.numbers), Number(values.steps)];
  const ground = await openGround();
  const simulators = await startSimulators({ port: 0 });
  try {
    printMachine(ground.name);
    const scope = await benchWorkspace(ground.kernel);
    const ids = await pairAll(ground, simulators, scope, numbers);
    const samples = await takeOver(ground, simulators, ids, steps);
    const restored = await restore(ground, simulators, numbers);
    report(samples, restored);
    return samples.at(-1)?.numbers === numbers && restored.numbers === numbers;
  } finally {
    await simulators.stop();
    await ground.close();
  }
}

async function pairAll(
  ground: Ground,
  simulators: Simulators,
  scope: Scope,
  numbers: number,
): Promise<string[]> {
  const { kernel, leases } = ground;
  const channels = createChannels(kernel, { leases, adapters: [linkedAdapter(ground, simulators.whatsapp)] });
  await channels.start();
  const ids: string[] = [];
  const phones = Array.from({ length: numbers }, (_, n) => `+4915550${String(100_000 + n)}`);
  const pairNext = async () => {
    for (let number = phones.pop(); number !== undefined; number = phones.pop())
      ids.push(await pairNumber(channels, simulators, scope, number));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, pairNext));
  await channels.stop();
  return ids;
}

/** The node starts while every number is held by somebody else; they are let go of step by step. */
async function takeOver(
  ground: Ground,
  { whatsapp }: Simulators,
  ids: string[],
  steps: number,
): Promise<Sample[]> {
  await hold(ground, ids, '1 hour');
  const node = startNode(ground, whatsapp);
  const samples: Sample[] = [];
  for (let step = 0; step <= steps; step++) {
    const numbers = Math.round((ids.length * step) / steps);
    await hold(ground, ids.slice(0, numbers), '0 seconds');
    samples.push(await sampleOf(node, numbers));
  }
  await stop(node);
  return samples;
}

/** What the node before has given back at its stop is free. */
async function restore(ground: Ground, { whatsapp }: Simulators, numbers: number): Promise<Sample> {
  const node = startNode(ground, whatsapp);
  const restored = await sampleOf(node, numbers);
  await stop(node);
  return restored;
}

function startNode(ground: Ground, whatsapp: Simulators['whatsapp']): ChildProcess {
  return fork(fileURLToPath(new URL('numbers-node.ts', import.meta.url)), {
    execArgv: ['--expose-gc'],
    env: {
      ...process.env,
      BENCH_URL: ground.url,
      BENCH_KEY: ground.kernel.config.masterKey ?? '',
      BENCH_WHATSAPP: JSON.stringify(whatsapp),
    },
  });
}

async function sampleOf(node: ChildProcess, numbers: number): Promise<Sample> {
  node.send({ numbers });
  const ended = once(node, 'exit').then(() => [undefined]);
  const [said] = (await Promise.race([once(node, 'message'), ended])) as [Sample | undefined];
  if (!said) throw new Error('The node that was to be measured ended.');
  return said;
}

async function stop(node: ChildProcess): Promise<void> {
  node.disconnect();
  await once(node, 'exit');
}

async function hold({ kernel }: Ground, ids: string[], duration: string): Promise<void> {
  await kernel.database.inEngine('bench.hold', tx =>
    sql`
      insert into leases (name, holder, fence, expires_at)
      select 'channel:' || id, 'bench', 1000, now() + ${duration}::interval
      from json_array_elements_text(${JSON.stringify(ids)}::json) as i(id)
      on conflict (name) do update set expires_at = excluded.expires_at, holder = 'bench', fence = leases.fence + 1
      where leases.holder = 'bench' or leases.expires_at <= now()
    `.execute(tx),
  );
}

function linkedAdapter({ kernel }: Ground, whatsapp: Simulators['whatsapp']) {
  const { socketUrl, rootKey } = whatsapp;
  return createLinkedAdapter({ socketUrl, rootKey, sandbox: true, log: kernel.log });
}

function report(samples: Sample[], restored: Sample): void {
  printTable(
    samples.map(({ numbers, rss, heap, outside }) => ({
      numbers,
      'resident MB': rss.toFixed(1),
      'heap MB': heap.toFixed(1),
      'outside the heap MB': outside.toFixed(1),
    })),
  );
  const [rss, heap, outside] = (['rss', 'heap', 'outside'] as const).map(name => slope(samples, name)) as [
    number,
    number,
    number,
  ];
  console.log(
    `restart    ${restored.numbers} numbers connected again ${(restored.connectedMs / 1_000).toFixed(1)} s after the start ` +
      `of the process, then ${restored.rss.toFixed(0)} MB resident`,
  );
  const parts = `${heap.toFixed(2)} MB heap, ${outside.toFixed(2)} MB outside of it`;
  verdict(
    `at most ${GOAL_MB} MB resident per idle number: ${rss.toFixed(2)} MB (${parts}), from 0 to ${samples.at(-1)?.numbers}`,
    rss <= GOAL_MB,
  );
}

/** Least squares over the steps. */
function slope(samples: Sample[], name: 'rss' | 'heap' | 'outside'): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(samples.map(sample => sample.numbers)), mean(samples.map(sample => sample[name]))];
  const over = samples.reduce((sum, sample) => sum + (sample.numbers - x) * (sample[name] - y), 0);
  return over / samples.reduce((sum, sample) => sum + (sample.numbers - x) ** 2, 0);
}
