import { CompiledQuery } from 'kysely';
import type { Tx } from './database.ts';

type Named = CompiledQuery & { readonly name?: string };

let count = 0;

/**
 * A statement for what happens all the time: its text is fixed, and each connection keeps its plan. A set of rows
 * goes in as one list per column: `$1::uuid[]` from `list`, `$2::text[]` from `texts`.
 */
export function kept<Row = never>(text: string): (tx: Tx, ...params: unknown[]) => Promise<Row[]> {
  const name = `kept_${++count}`;
  return async (tx, ...params) => {
    const query: Named = { ...CompiledQuery.raw(text, params), name };
    return (await tx.executeQuery<Row>(query)).rows;
  };
}

/** What a connection calls the statement of this query, if it is one to keep. */
export function nameOf(query: CompiledQuery): string | undefined {
  return (query as Named).name;
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
 * The least and the greatest of the ids: `between` them says again what a join by id says already, so that the other
 * months of a partitioned table are left out of account.
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
