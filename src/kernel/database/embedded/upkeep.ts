import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';

const TICK_MS = 60_000;
const CHECKPOINT_AFTER_BYTES = 32 * 1024 ** 2;
const CHECKPOINT_AFTER_MS = 5 * 60_000;
const WEIGH_EVERY_MS = 10 * 60_000;
const FIRST_ALARM_BYTES = 2 * 1024 ** 3;

/** The same thresholds as autovacuum, which does not run in an embedded PostgreSQL. */
const TIRED_TABLES = `select format('%I.%I', s.schemaname, s.relname) as name
  from pg_stat_user_tables s join pg_class c on c.oid = s.relid
  where s.n_dead_tup > 50 + 0.2 * greatest(c.reltuples, 0)
    or s.n_mod_since_analyze > 50 + 0.1 * greatest(c.reltuples, 0)
    or s.n_ins_since_vacuum > 1000 + 0.2 * greatest(c.reltuples, 0)`;

const UNFLUSHED = `select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::int8 as bytes,
  extract(epoch from now() - checkpoint_time) * 1000 as age_ms from pg_control_checkpoint()`;

/** Does what the background processes of a server would do, one short turn at a time. */
export function startUpkeep(
  engine: Engine,
  place: string,
  warn: (text: string) => void,
): { stop: () => void } {
  const scale = new Scale(place, warn);
  let busy = false;
  let stopped = false;
  const tick = async () => {
    if (busy) return;
    busy = true;
    try {
      await checkpoint(engine);
      await vacuum(engine);
      await scale.weigh();
    } catch (error) {
      if (stopped) return;
      warn(
        `The upkeep of the embedded database failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    busy = false;
  };
  const timer = setInterval(() => void tick(), TICK_MS);
  timer.unref();
  return {
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** Without this the write-ahead log would grow for ever. Returns whether a checkpoint was due. */
export async function checkpoint(engine: Engine): Promise<boolean> {
  const [row] = await run(engine, UNFLUSHED);
  const bytes = Number(row?.bytes);
  const due = bytes > CHECKPOINT_AFTER_BYTES || (bytes > 0 && Number(row?.age_ms) > CHECKPOINT_AFTER_MS);
  if (due) await run(engine, 'checkpoint');
  return due;
}

/** Clears dead rows and refreshes statistics where it pays. Returns the names of the tables. */
export async function vacuum(engine: Engine): Promise<string[]> {
  await run(engine, 'select pg_stat_force_next_flush()');
  const rows = await run(engine, TIRED_TABLES);
  const names = rows.map(row => String(row.name));
  for (const name of names) await run(engine, `vacuum (analyze) ${name}`);
  return names;
}

type ScaleOptions = { firstAlarm?: number; now?: () => number };

/** Says when the folder has grown past an alarm, and again at each doubling. */
export class Scale {
  readonly #place: string;
  readonly #warn: (text: string) => void;
  readonly #now: () => number;
  #alarm: number;
  #weighedAt = Number.NEGATIVE_INFINITY;

  constructor(place: string, warn: (text: string) => void, options: ScaleOptions = {}) {
    this.#place = place;
    this.#warn = warn;
    this.#alarm = options.firstAlarm ?? FIRST_ALARM_BYTES;
    this.#now = options.now ?? (() => performance.now());
  }

  async weigh(): Promise<void> {
    if (this.#now() - this.#weighedAt < WEIGH_EVERY_MS) return;
    this.#weighedAt = this.#now();
    const bytes = await sizeOf(this.#place);
    if (bytes < this.#alarm) return;
    while (this.#alarm <= bytes) this.#alarm *= 2;
    this.#warn(
      `The embedded database in ${this.#place} has grown to ${Math.round(bytes / 1024 ** 2)} MiB. ` +
        'It is made for one small node: move to a PostgreSQL server with DATABASE_URL, or shorten the retention.',
    );
  }
}

async function run(engine: Engine, text: string): Promise<Record<string, unknown>[]> {
  const connection = await engine.acquire();
  try {
    return (await connection.query(text, [])).rows;
  } finally {
    connection.release();
  }
}

/** Files come and go while we look; one that went has no size. */
async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.size ?? 0;
  const names = await readdir(path).catch(() => []);
  let bytes = 0;
  for (const name of names) bytes += await sizeOf(join(path, name));
  return bytes;
}
