import { type RawBuilder, sql } from 'kysely';
import type { Database, Tx } from './database/database.ts';
import { nodeSeen } from './node-row.ts';
import { wakeAfterCommit } from './wake.ts';

/** A lease as its row knows it. */
export type LeaseRow = { readonly name: string; readonly fence: number };

/** What became of a lease at its renewal: kept = ours still, but its row was busy just then. */
export type Renewal = 'renewed' | 'kept' | 'gone';

export type Taking = {
  name: string;
  holder: string;
  ttlMs: number;
  graceMs: number;
  /** Also when the holder is we ourselves, which only a lost answer can have made so. */
  again: boolean;
};

export type Renewing = { holder: string; leases: readonly LeaseRow[]; ttlMs: number; withinMs: number };

/** The rows of leases as a holder wants them. Each call is a transaction of its own. */
export type LeaseRows = {
  take(taking: Taking): Promise<number | undefined>;
  /** Shows as well that the node is alive. */
  renew(renewing: Renewing): Promise<Map<string, Renewal>>;
  /** Wakes whoever wants one of them. */
  free(holder: string, leases: readonly LeaseRow[], withinMs: number): Promise<void>;
};

export function sqlLeaseRows(database: Database): LeaseRows {
  return {
    take: taking => database.inEngine('leases.acquire', tx => takeRow(tx, taking)),
    renew: ({ holder, leases, ttlMs, withinMs }) =>
      database.inEngine(
        'leases.renew',
        async tx => {
          await nodeSeen(tx, holder);
          return leases.length === 0 ? new Map() : renewRows(tx, holder, leases, ttlMs);
        },
        { urgent: true, withinMs },
      ),
    free: (holder, leases, withinMs) => {
      const free = async (tx: Tx) => {
        await freeRows(tx, holder, leases);
        wakeAfterCommit('leases');
      };
      return database.inEngine('leases.release', free, { withinMs });
    },
  };
}

/**
 * Takes a lease that is free: given back, or expired for longer than the grace. Its new fence, or undefined. A row that
 * somebody just now proves or changes is left alone, and tried again by whoever wants it.
 */
async function takeRow(tx: Tx, { name, holder, ttlMs, graceMs, again }: Taking): Promise<number | undefined> {
  const { rows } = await sql<{ fence: number }>`
    with free as (
      select name from leases where name = ${name} and (${isFree(graceMs)} or (${again} and holder = ${holder}))
      for update skip locked
    ), taken as (
      update leases l set holder = ${holder}, fence = l.fence + 1, taken_at = now(), expires_at = ${after(ttlMs)}
      from free where l.name = free.name
      returning l.fence
    ), fresh as (
      insert into leases (name, holder, fence, expires_at)
      select ${name}, ${holder}, 1, ${after(ttlMs)} where not exists (select from leases where name = ${name})
      on conflict do nothing
      returning fence
    )
    select fence from taken union all select fence from fresh
  `.execute(tx);
  return rows[0]?.fence;
}

/**
 * Renews in the order of names, so that two statements over many leases cannot block each other, and passes over rows
 * that are busy: one that hangs must not cost the others. A renewal that arrives after its lease is over changes nothing.
 */
async function renewRows(
  tx: Tx,
  holder: string,
  leases: readonly LeaseRow[],
  ttlMs: number,
): Promise<Map<string, Renewal>> {
  const { rows } = await sql<{ name: string; renewal: Renewal }>`
    with wanted as (
      select * from json_to_recordset(${listOf(leases)}::json) as w(name text, fence bigint)
    ), ours as (
      select l.name from leases l join wanted w on w.name = l.name and w.fence = l.fence
      where l.holder = ${holder} and l.expires_at > now()
    ), mine as (
      select l.name from leases l join wanted w on w.name = l.name and w.fence = l.fence
      where l.holder = ${holder} and l.expires_at > now()
      order by l.name
      for no key update of l skip locked
    ), renewed as (
      update leases l set expires_at = ${after(ttlMs)} from mine where mine.name = l.name returning l.name
    )
    select w.name,
      case when r.name is not null then 'renewed' when o.name is not null then 'kept' else 'gone' end as renewal
    from wanted w left join ours o on o.name = w.name left join renewed r on r.name = w.name
  `.execute(tx);
  return new Map(rows.map(row => [row.name, row.renewal]));
}

/** Gives leases back: whoever wants one may have it at once. */
async function freeRows(tx: Tx, holder: string, leases: readonly LeaseRow[]): Promise<void> {
  await sql`
    with mine as (
      select l.name from leases l
      join json_to_recordset(${listOf(leases)}::json) as w(name text, fence bigint)
        on w.name = l.name and w.fence = l.fence
      where l.holder = ${holder}
      order by l.name
      for no key update of l
    )
    update leases l set holder = null, expires_at = now() from mine where mine.name = l.name
  `.execute(tx);
}

/**
 * What the rows say of leases, and keep saying until the commit: to take one over, its row must be locked for update,
 * while its renewal does not wait for us.
 */
export async function proveRows(
  tx: Tx,
  leases: readonly LeaseRow[],
): Promise<Map<string, { holder: string | null; fence: number }>> {
  if (leases.length === 0) return new Map();
  const names = leases.map(lease => lease.name);
  const rows = await tx
    .selectFrom('leases')
    .select(['name', 'holder', 'fence'])
    .where('name', 'in', names)
    .orderBy('name')
    .forKeyShare()
    .execute();
  return new Map(rows.map(row => [row.name, row]));
}

/** Whether the lease of a row of `leases` may be taken. */
function isFree(graceMs: number): RawBuilder<boolean> {
  return sql`(holder is null or expires_at <= now() - ${graceMs}::float8 * interval '1 millisecond')`;
}

function after(ms: number): RawBuilder<Date> {
  return sql<Date>`now() + ${ms}::float8 * interval '1 millisecond'`;
}

function listOf(leases: readonly LeaseRow[]): string {
  return JSON.stringify(leases.map(({ name, fence }) => ({ name, fence })));
}
