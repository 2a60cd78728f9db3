import { CompiledQuery } from 'kysely';
import type { Tx } from './database.ts';

type Named = CompiledQuery & { readonly name?: string };

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

/** An array of bytes. */
export function bytes(values: readonly Uint8Array[]): string {
  return `{${values.map(value => `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`).join(',')}}`;
}
