import type { Tx } from './database.ts';
import { connectionUnder } from './kysely.ts';

let count = 0;

/**
 * A statement for what happens all the time: its text is fixed, and each connection keeps its plan. A set of rows
 * goes in as one list per column: `$1::uuid[]` from `list`, `$2::text[]` from `texts`.
 *
 * Rows of a set of keys are read by `cross join lateral (select … where … = k.id offset 0)`: the fence keeps a plan that
 * was made over an empty table from reading all of it for each key.
 */
export function kept<Row = never>(text: string): (tx: Tx, ...params: unknown[]) => Promise<Row[]> {
  const name = `kept_${++count}`;
  return async (tx, ...params) => (await connectionUnder(tx).query(text, params, name)).rows as Row[];
}

/** An array for PostgreSQL of what needs no quotes: ids, numbers, truth values, and statuses of our own. */
export function list(values: readonly (string | number | boolean | null)[]): string {
  return `{${values.map(value => value ?? 'null').join(',')}}`;
}

/** An array of any texts. */
export function texts(values: readonly (string | null)[]): string {
  return `{${values.map(value => (value === null ? 'null' : `"${value.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`;
}

/** An array of instants in whole ms, for `bigint[]`; `to_timestamp(x / 1000.0::float8)` makes the same instant of it. */
export function instants(values: readonly (Date | null)[]): string {
  return list(values.map(value => value?.getTime() ?? null));
}

/**
 * The least and the greatest of the ids: `between` them inside such a fence says again what the ids say, and leaves the
 * other months of a partitioned table out of account. Never outside of one: there it may become all that is looked up.
 * And never where rows are locked or changed: whoever had to wait for a lock looks at the row anew, and PostgreSQL 18
 * does not find it again in the month that was picked at run time.
 */
export function rangeOf(ids: readonly string[]): [least: string, most: string] {
  let [least, most] = [ids[0] ?? '', ids[0] ?? ''];
  for (const id of ids) {
    if (id < least) least = id;
    if (id > most) most = id;
  }
  return [least, most];
}

/** An array of bytes. */
export function bytes(values: readonly Uint8Array[]): string {
  return `{${values.map(value => `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`).join(',')}}`;
}
