import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import type { Scope } from '../src/kernel/index.ts';
import { scriptedChannel } from '../test/harness/scripted-adapter.ts';
import { benchWorkspace, type Ground } from './ground.ts';
import { instantOf, sendAt } from './schedule-messages.ts';
import type { Orders } from './schedule-node.ts';

type HandOff = { text: string; id: string; at: number };

const WINDOW_MS = 10_000;
const LEAD_MS = 3_000;
/** What the dead process had claimed falls free half a minute after its instant; then it is looked for once a second. */
const PATIENCE_MS = 45_000;

/**
 * The same across a kill -9: a node is killed in the middle of the window and another takes its place at once. On a
 * screen a message is there twice if it was handed over under two ids.
 */
export async function scheduleAcrossKill(ground: Ground, due: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'convoke-bench-'));
  const ledger = join(folder, 'ledger');
  await writeFile(ledger, '');
  const scope = await benchWorkspace(ground.kernel);
  const channelId = await scriptedChannel(scope);
  const start = (fence: number) =>
    startNode(ground, { workspaceId: scope.workspaceId, channelId, ledger, fence });
  const first = await start(1);
  const from = Date.now() + LEAD_MS;
  const instants = Array.from({ length: due }, (_, n) => Math.round(from + (n * WINDOW_MS) / due));
  await sendAt(scope, channelId, instants);
  await pauseUntil(from + WINDOW_MS / 2);
  first.kill('SIGKILL');
  await once(first, 'exit');
  const killedAt = Date.now();
  const second = await start(2);
  const end = from + WINDOW_MS + PATIENCE_MS;
  while ((await unfinished(ground, scope)) > 0 && Date.now() < end) await pauseUntil(Date.now() + 200);
  second.disconnect();
  await once(second, 'exit');
  const exact = report(await handOffs(ledger), await unfinished(ground, scope), due, killedAt);
  await rm(folder, { recursive: true, force: true });
  return exact;
}

async function startNode({ url, kernel }: Ground, of: Omit<Orders, 'url' | 'key'>): Promise<ChildProcess> {
  const orders: Orders = { ...of, url, key: kernel.config.masterKey ?? '' };
  const node = fork(fileURLToPath(new URL('schedule-node.ts', import.meta.url)), {
    env: { ...process.env, BENCH_ORDERS: JSON.stringify(orders) },
  });
  await once(node, 'message');
  return node;
}

/** Messages that have not got as far as `sent`. */
async function unfinished({ kernel }: Ground, { workspaceId }: Scope): Promise<number> {
  return kernel.database.inEngine('bench.unfinished', async tx => {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from deliveries
      where workspace_id = ${workspaceId} and status not in ('sent', 'delivered', 'read')
    `.execute(tx);
    return rows[0]?.count ?? 0;
  });
}

async function handOffs(ledger: string): Promise<HandOff[]> {
  const lines = (await readFile(ledger, 'utf8')).split('\n').filter(line => line !== '');
  return lines.map(line => JSON.parse(line) as HandOff);
}

function report(all: HandOff[], left: number, due: number, killedAt: number): boolean {
  const ids = new Map<string, Set<string>>();
  for (const { text, id } of all) ids.set(text, (ids.get(text) ?? new Set()).add(id));
  const twice = [...ids.values()].filter(({ size }) => size > 1).length;
  const sameId = all.length - [...ids.values()].reduce((sum, { size }) => sum + size, 0);
  const early = all.filter(({ text, at }) => at < instantOf(text)).length;
  const before = all.filter(({ at }) => at <= killedAt).length;
  const latest = Math.max(...all.map(({ text, at }) => at - instantOf(text)));
  console.log(
    `kill -9    ${due} due, killed after ${before}: ${ids.size} handed over, ${early} early, ${twice} twice, ` +
      `${sameId} again under the same id, ${left} not recorded as sent; the latest ${(latest / 1_000).toFixed(1)} s late`,
  );
  return early === 0 && twice === 0 && ids.size === due && left === 0;
}

async function pauseUntil(at: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, Math.max(0, at - Date.now())));
}
