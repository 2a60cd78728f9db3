import { BEGINNING, CHAINED_COLUMNS, type ChainedFact, hashOf } from './chain.ts';
import { outsideTransaction, type Tx } from './database/database.ts';
import { bytes, kept, list, rangeOf } from './database/kept.ts';
import type { Kernel } from './kernel.ts';
import { assertFence, type Lease, LeaseLost, type Leases } from './leases.ts';
import { wakeAfterCommit } from './wake.ts';

export type Sealer = {
  start(): void;
  stop(): Promise<void>;
};

const LEASE = 'sealer';
const POLL_MS = 1_000;
const BATCH = 1_000;

/**
 * Gives visible facts their `seq`: neither ids nor sequences follow the order of commits, so one node
 * at a time, under the lease `sealer`, numbers what it sees without gaps and chains the hashes. Readers
 * that follow `seq` miss nothing. The other nodes stand by.
 */
export function createSealer(kernel: Kernel, leases: Leases): Sealer {
  let lease: Lease | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = true;
  let timer: NodeJS.Timeout | undefined;
  let unsubscribe: (() => void) | undefined;

  const round = async () => {
    if (!lease?.held()) lease = await leases.acquire(LEASE);
    const held = lease;
    if (!held) return;
    let sealed: number;
    do {
      again = false;
      sealed = await kernel.database.inEngine('activity.seal', tx => sealBatch(tx, held), { byKey: true });
    } while (!stopped && (again || sealed >= BATCH));
  };
  const look = () => {
    if (stopped) return;
    again = true;
    clearTimeout(timer);
    running ??= outsideTransaction(round)
      .catch(error => {
        // The node that took over seals on; this one stands by.
        if (error instanceof LeaseLost) return;
        kernel.log.warn({ event: 'activity.seal', err: error }, 'sealing failed, trying again');
      })
      .finally(() => {
        running = undefined;
        if (!stopped) timer = outsideTransaction(() => setTimeout(look, POLL_MS));
      });
  };
  return {
    start() {
      stopped = false;
      unsubscribe = kernel.wake.on('activity', look);
      look();
    },
    async stop() {
      stopped = true;
      unsubscribe?.();
      clearTimeout(timer);
      await running;
      await lease?.release();
      lease = undefined;
    },
  };
}

type Pending = { workspace_id: string; id: string; activity_ids: string };

type Seal = { workspaceId: string; seq: number; activityId: string; hash: Buffer };

async function sealBatch(tx: Tx, lease: Lease): Promise<number> {
  await assertFence(tx, lease);
  const pending = await readPending(tx, BATCH);
  if (pending.length === 0) return 0;
  const facts = await readFacts(tx, pending);
  const heads = await headsOf(tx, pending);
  const seals = facts.map(fact => sealOf(fact, heads));
  await writeSeals(
    tx,
    list(seals.map(seal => seal.workspaceId)),
    list(seals.map(seal => seal.seq)),
    list(seals.map(seal => seal.activityId)),
    bytes(seals.map(seal => seal.hash)),
    list(pending.map(row => row.workspace_id)),
    list(pending.map(row => row.id)),
    list([...heads.keys()]),
    list([...heads.values()].map(head => head.seq)),
    bytes([...heads.values()].map(head => head.hash)),
  );
  for (const workspaceId of heads.keys()) wakeAfterCommit(`live:${workspaceId}`);
  return facts.length;
}

/** Whole rows, until they hold as many facts as asked for. */
const readPending = kept<Pending>(`
  select workspace_id, id, array_to_string(activity_ids, ',') as activity_ids
  from (
    select *, sum(cardinality(activity_ids)) over (order by id) - cardinality(activity_ids) as before
    from (select * from activity_pending order by id limit $1::int) p
  ) p
  where before < $1::int order by id`);

/** In the order of the rows that wait, and within one as they were recorded. */
async function readFacts(tx: Tx, pending: Pending[]): Promise<ChainedFact[]> {
  const keys = pending.flatMap(row =>
    row.activity_ids.split(',').map(id => ({ workspaceId: row.workspace_id, id })),
  );
  const ids = keys.map(key => key.id);
  const workspaces = list(keys.map(key => key.workspaceId));
  const facts = new Map(
    (await selectFacts(tx, workspaces, list(ids), ...rangeOf(ids))).map(fact => [fact.id, fact]),
  );
  return ids.flatMap(id => facts.get(id) ?? []);
}

const selectFacts = kept<ChainedFact>(`
  select ${CHAINED_COLUMNS}
  from unnest($1::uuid[], $2::uuid[]) as k(workspace_id, id)
  cross join lateral (
    select * from activity a
    where a.workspace_id = k.workspace_id and a.id = k.id and a.id between $3::uuid and $4::uuid offset 0
  ) a`);

type Head = { seq: number; hash: Buffer };

/** By workspace, of all that have something to seal. */
async function headsOf(tx: Tx, pending: Pending[]): Promise<Map<string, Head>> {
  const heads = new Map<string, Head>();
  for (const row of pending) heads.set(row.workspace_id, { seq: 0, hash: BEGINNING });
  for (const { workspace_id: id, seq, hash: last } of await selectHeads(tx, list([...heads.keys()])))
    heads.set(id, { seq, hash: last });
  return heads;
}

const selectHeads = kept<Head & { workspace_id: string }>(
  'select workspace_id, seq, hash from activity_heads where workspace_id = any($1::uuid[])',
);

const writeSeals = kept(`
  with written as (
    insert into activity_seals (workspace_id, seq, activity_id, hash)
    select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[])
  ), done as (
    delete from activity_pending p using unnest($5::uuid[], $6::uuid[]) as k(workspace_id, id)
    where p.workspace_id = k.workspace_id and p.id = k.id
  )
  insert into activity_heads (workspace_id, seq, hash)
  select * from unnest($7::uuid[], $8::bigint[], $9::bytea[])
  on conflict (workspace_id) do update set seq = excluded.seq, hash = excluded.hash`);

/** Moves the head of its workspace on. */
function sealOf(fact: ChainedFact, heads: Map<string, Head>): Seal {
  const before = heads.get(fact.workspace_id) ?? { seq: 0, hash: BEGINNING };
  const seq = before.seq + 1;
  const head = { seq, hash: hashOf(before.hash, seq, fact) };
  heads.set(fact.workspace_id, head);
  return { workspaceId: fact.workspace_id, activityId: fact.id, ...head };
}
