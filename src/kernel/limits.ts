import { sql } from 'kysely';
import type { Tx } from './database/database.ts';
import { kept, list, texts } from './database/kept.ts';
import { AppError } from './errors.ts';

/** At most so many hits of one key in any stretch of `windowMs`. `name` is for people, `key` tells whom it is about. */
export type Limit = { name: string; key: string; most: number; windowMs: number };

type Hits = { key: string; hits: number; hits_before: number; into_ms: number };

/**
 * Counts one hit against each limit, or against none when one of them is reached. A window slides: what was counted
 * in the window before weighs as much as of it still lies within. Opens no transaction: within the engine's door, in one
 * that ends soon, since whoever spends from the same limit waits for it. A database that fails lets nobody through.
 * Throws 429 `rate_limited` with `retry_after_s` and the name of the `limit`.
 */
export async function spend(tx: Tx, limits: Limit[]): Promise<void> {
  if (limits.length === 0) return;
  const passed = await hit(tx, ...columnsOf(limits));
  if (passed.length === limits.length) return;
  const taken = new Set(passed.map(({ key }) => key));
  await giveBack(tx, texts([...taken]));
  throw await refusal(
    tx,
    limits.filter(limit => !taken.has(keyOf(limit))),
  );
}

/**
 * Adds what a node has counted by itself in the window that began at `at` (ms), and answers what all have counted in the
 * window that is the newest now. Refuses nothing.
 */
export async function addHits(
  tx: Tx,
  counts: { key: string; at: number; hits: number }[],
  windowMs: number,
): Promise<Map<string, { at: number; hits: number; before: number }>> {
  if (counts.length === 0) return new Map();
  const sorted = [...counts].sort((a, b) => (a.key < b.key ? -1 : 1));
  const rows = await add(
    tx,
    texts(sorted.map(({ key }) => key)),
    list(sorted.map(({ at }) => at)),
    list(sorted.map(({ hits }) => hits)),
    windowMs,
  );
  return new Map(rows.map(row => [row.key, { at: row.at, hits: row.hits, before: row.hits_before }]));
}

/** Forgets what no window reaches any more. */
export async function purgeLimits(tx: Tx): Promise<void> {
  await tx.deleteFrom('limit_hits').where('window_at', '<', sql<Date>`now() - interval '2 days'`).execute();
}

/** Two names never share their hits, whatever the keys are. */
function keyOf({ name, key }: Limit): string {
  return `${name}:${key}`;
}

function columnsOf(limits: Limit[]): [string, string, string] {
  return [
    texts(limits.map(keyOf)),
    list(limits.map(({ most }) => most)),
    list(limits.map(({ windowMs }) => windowMs)),
  ];
}

/**
 * Windows begin at whole multiples of their length. The rows are taken in the order of their keys, so that two that
 * spend from the same limits cannot wait for each other.
 */
const hit = kept<{ key: string }>(`
  insert into limit_hits as l (key, window_at, hits)
  select key, window_at, 1 from (
    select key, to_timestamp(floor(extract(epoch from now()) * 1000 / window_ms) * window_ms / 1000.0) as window_at
    from unnest($1::text[], $2::integer[], $3::bigint[]) as w(key, most, window_ms)
    where most > 0 order by key) as wanted
  on conflict (key) do update set
    window_at = greatest(l.window_at, excluded.window_at),
    hits = case when l.window_at >= excluded.window_at then l.hits else 0 end + 1,
    hits_before = ${before('excluded.window_at')}
  where exists (
    select from unnest($1::text[], $2::integer[], $3::bigint[]) as w(key, most, window_ms)
    where w.key = l.key and w.most >= 1
      + case when l.window_at >= excluded.window_at then l.hits else 0 end
      + ${before('excluded.window_at')}
        * (1 - least(1, greatest(0, extract(epoch from now() - greatest(l.window_at, excluded.window_at)) * 1000 / w.window_ms))))
  returning key`);

/** What lay in the window before the one that begins at `at`. */
function before(at: string): string {
  return `case
    when l.window_at >= ${at} then l.hits_before
    when l.window_at = ${at} - (select w.window_ms from unnest($1::text[], $3::bigint[]) as w(key, window_ms)
      where w.key = l.key) * interval '1 ms' then l.hits
    else 0 end`;
}

const add = kept<{ key: string; at: number; hits: number; hits_before: number }>(`
  insert into limit_hits as l (key, window_at, hits)
  select key, to_timestamp(at / 1000.0), hits from unnest($1::text[], $2::bigint[], $3::integer[]) as c(key, at, hits)
  on conflict (key) do update set
    window_at = greatest(l.window_at, excluded.window_at),
    hits = case when l.window_at = excluded.window_at then l.hits + excluded.hits
      when l.window_at > excluded.window_at then l.hits else excluded.hits end,
    hits_before = case when l.window_at = excluded.window_at then l.hits_before
      when l.window_at = excluded.window_at + $4::bigint * interval '1 ms' then l.hits_before + excluded.hits
      when l.window_at = excluded.window_at - $4::bigint * interval '1 ms' then l.hits
      when l.window_at > excluded.window_at then l.hits_before else 0 end
  returning key, round(extract(epoch from window_at) * 1000)::float8 as at, hits, hits_before`);

const giveBack = kept('update limit_hits set hits = hits - 1 where key = any($1::text[])');

const read = kept<Hits>(`
  select l.key, l.hits, l.hits_before,
    (extract(epoch from now() - l.window_at) * 1000)::float8 as into_ms
  from limit_hits l where l.key = any($1::text[])`);

/** Named after the limit that lasts longest, since nothing passes before. */
async function refusal(tx: Tx, reached: Limit[]): Promise<AppError> {
  const rows = new Map((await read(tx, texts(reached.map(keyOf)))).map(row => [row.key, row]));
  const waits = reached.map(limit => ({ limit, waitMs: waitOf(limit, rows.get(keyOf(limit))) }));
  waits.sort((a, b) => b.waitMs - a.waitMs);
  const [longest] = waits;
  const seconds = Math.max(1, Math.ceil((longest?.waitMs ?? 0) / 1000));
  return new AppError('rate_limited', `That was too often. Try again in ${seconds} s.`, {
    extra: { retry_after_s: seconds, limit: longest?.limit.name },
  });
}

/** How long until one more hit fits: within this window as the one before fades, or in the next as this one does. */
function waitOf({ most, windowMs }: Limit, row: Hits | undefined): number {
  if (most < 1 || row === undefined) return windowMs;
  const later = Math.floor(row.into_ms / windowMs);
  const into = row.into_ms - later * windowMs;
  const [hits, old] = [
    [row.hits, row.hits_before],
    [0, row.hits],
  ][later] ?? [0, 0];
  const fades = (room: number, amount: number) => (amount <= room ? 0 : windowMs * (1 - room / amount));
  const room = most - 1 - (hits ?? 0);
  if (room >= 0) return Math.max(0, fades(room, old ?? 0) - into);
  return windowMs - into + fades(most - 1, hits ?? 0);
}
