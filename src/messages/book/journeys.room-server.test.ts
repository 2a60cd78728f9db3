import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel } from '../../../test/harness/scripted-adapter.ts';
import { until } from '../../../test/harness/until.ts';
import { outsideTransaction as outside, type Scope, type Tx } from '../../kernel/index.ts';
import { send } from '../service.ts';
import { lockJourneys, writeJourneys } from './journeys.ts';

let kernel: TestKernel;
let scope: Scope;
let channelId: string;
beforeAll(async () => {
  new ScriptedProvider();
  kernel = await testKernel();
  scope = await testWorkspace(kernel);
  channelId = await scriptedChannel(scope);
});
afterAll(() => kernel.close());

const inEngine = <T>(work: (tx: Tx) => Promise<T>) =>
  kernel.database.inEngine('test.journeys', work, { byKey: true });

const pidOf = async (tx: Tx) =>
  (await tx.selectNoFrom(eb => eb.fn<number>('pg_backend_pid').as('pid')).executeTakeFirstOrThrow()).pid;

async function blocks(pid: number): Promise<boolean> {
  const { rows } = await inEngine(tx =>
    sql`select from pg_locks where not granted and ${pid}::int = any(pg_blocking_pids(pid))`.execute(tx),
  );
  return rows.length > 0;
}

it('whoever waited for the lock of a journey finds it as it was left', async () => {
  const content = { type: 'text', text: { body: 'hello' } } as const;
  for (let n = 0; n < 3; n++) await send(scope, { channelId, target: { phone: '+491701234567' }, content });
  const rows = await inEngine(tx => tx.selectFrom('deliveries').select('id').execute());
  const keys = rows.map(({ id }) => ({ workspaceId: scope.workspaceId, deliveryId: id }));
  let second: ReturnType<typeof lockJourneys> | undefined;
  await inEngine(async tx => {
    const all = [...(await lockJourneys(tx, keys)).values()];
    const pid = await pidOf(tx);
    second = outside(() => inEngine(other => lockJourneys(other, keys)));
    await until(() => outside(() => blocks(pid)));
    await writeJourneys(
      tx,
      all.map(locked => ({ locked, next: { ...locked.journey, reason: 'changed' } })),
    );
  });
  const seen = [...((await second) ?? new Map()).values()].map(({ journey }) => journey.reason);
  expect(seen).toEqual(['changed', 'changed', 'changed']);
});
