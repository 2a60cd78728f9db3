import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { outsideTransaction, type Tx } from './database/database.ts';
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

/** The hash that a workspace's first fact is chained to. */
const BEGINNING = Buffer.alloc(32);

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
      sealed = await kernel.database.inEngine('activity.seal', tx => sealBatch(tx, held));
    } while (!stopped && (again || sealed === BATCH));
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

type Pending = {
  workspace_id: string;
  activity_id: string;
  type: string;
  actor_kind: string;
  actor_id: string | null;
  subject_type: string;
  subject_id: string;
  at: string;
  digest: Buffer;
};

type Seal = { workspace_id: string; seq: number; activity_id: string; hash: string };

async function sealBatch(tx: Tx, lease: Lease): Promise<number> {
  await assertFence(tx, lease);
  const { rows } = await sql<Pending>`
    select p.workspace_id, p.activity_id, a.type, a.actor_kind, a.actor_id, a.subject_type, a.subject_id, a.digest,
      floor(extract(epoch from a.occurred_at) * 1000)::text as at
    from (select * from activity_pending order by activity_id limit ${BATCH}) p
    join activity a on a.workspace_id = p.workspace_id and a.id = p.activity_id
    order by p.activity_id
  `.execute(tx);
  if (rows.length === 0) return 0;
  const seals = chain(rows, await headsOf(tx, rows));
  await sql`
    with seals as (
      select * from json_to_recordset(${JSON.stringify(seals)}::json)
        as s(workspace_id uuid, seq bigint, activity_id uuid, hash text)
    ), written as (
      insert into activity_seals (workspace_id, seq, activity_id, hash)
      select workspace_id, seq, activity_id, decode(hash, 'hex') from seals
    ), done as (
      delete from activity_pending p using seals s
      where p.workspace_id = s.workspace_id and p.activity_id = s.activity_id
    )
    insert into activity_heads (workspace_id, seq, hash)
    select distinct on (workspace_id) workspace_id, seq, decode(hash, 'hex') from seals order by workspace_id, seq desc
    on conflict (workspace_id) do update set seq = excluded.seq, hash = excluded.hash
  `.execute(tx);
  for (const workspaceId of new Set(rows.map(row => row.workspace_id)))
    wakeAfterCommit(`live:${workspaceId}`);
  return rows.length;
}

type Head = { seq: number; hash: Buffer };

async function headsOf(tx: Tx, rows: Pending[]): Promise<Map<string, Head>> {
  const heads = await tx
    .selectFrom('activity_heads')
    .selectAll()
    .where('workspace_id', 'in', [...new Set(rows.map(row => row.workspace_id))])
    .execute();
  return new Map(heads.map(head => [head.workspace_id, { seq: head.seq, hash: head.hash }]));
}

function chain(rows: Pending[], heads: Map<string, Head>): Seal[] {
  return rows.map(row => {
    const head = heads.get(row.workspace_id) ?? { seq: 0, hash: BEGINNING };
    const seq = head.seq + 1;
    const hash = hashOf(head.hash, seq, row);
    heads.set(row.workspace_id, { seq, hash });
    return { workspace_id: row.workspace_id, seq, activity_id: row.activity_id, hash: hash.toString('hex') };
  });
}

/** Over everything but the payload, which only its salted digest stands for. */
function hashOf(before: Buffer, seq: number, row: Pending): Buffer {
  const fields = [
    row.workspace_id,
    seq,
    row.activity_id,
    row.type,
    row.actor_kind,
    row.actor_id,
    row.subject_type,
    row.subject_id,
    row.at,
  ];
  return createHash('sha256').update(before).update(JSON.stringify(fields)).update(row.digest).digest();
}
