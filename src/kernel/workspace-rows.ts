import { sql } from 'kysely';
import { inWorkspace, type Tx } from './database/database.ts';
import type { Scope } from './scope.ts';

/** A table that holds rows of workspaces. */
export type WorkspaceTable = { name: string; partitioned: boolean };

/** The record of what happened: no door may delete from it; `purgeChain` does. */
const CHAIN = ['activity', 'activity_seals', 'activity_pending', 'activity_heads'];

/**
 * All tables behind the wall between workspaces, but for those of the activity: whatever points to another one stands
 * before it. Read from the catalogue, so that no table can be forgotten.
 */
export function workspaceTables(scope: Scope): Promise<WorkspaceTable[]> {
  return inWorkspace(scope, async tx => {
    const { rows } = await sql<WorkspaceTable & { parents: string }>`
      select c.relname::text as name, c.relkind = 'p' as partitioned, coalesce((
          select string_agg(distinct t.relname::text, ',')
          from pg_constraint k join pg_class t on t.oid = k.confrelid
          where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid
        ), '') as parents
      from pg_policy p join pg_class c on c.oid = p.polrelid
      where p.polname = 'workspace_wall' and c.relnamespace = current_schema()::regnamespace
      order by c.relname`.execute(tx);
    const waiting = rows.filter(({ name }) => !CHAIN.includes(name));
    return childrenFirst(waiting.map(row => ({ ...row, parents: row.parents.split(',') })));
  });
}

function childrenFirst(tables: (WorkspaceTable & { parents: string[] })[]): WorkspaceTable[] {
  const [sorted, waiting] = [[] as WorkspaceTable[], new Set(tables)];
  while (waiting.size > 0) {
    const pointedTo = new Set([...waiting].flatMap(({ parents }) => parents));
    const free = [...waiting].filter(({ name }) => !pointedTo.has(name));
    if (free.length === 0) throw new Error('Tables of workspaces point to each other in a circle.');
    for (const table of free) {
      waiting.delete(table);
      sorted.push({ name: table.name, partitioned: table.partitioned });
    }
  }
  return sorted;
}

/**
 * Deletes at most so many rows of the workspace and answers how many went. Through the door of the workspace: the walls
 * keep the rows of others out of reach.
 */
export async function deleteRows(
  tx: Tx,
  scope: Scope,
  { name, partitioned }: WorkspaceTable,
  most: number,
): Promise<number> {
  const [table, own] = [sql.table(name), sql`workspace_id = ${scope.workspaceId}`];
  const chosen = partitioned
    ? sql`id <= (select max(id::text)::uuid from (select id from ${table} where ${own} order by id limit ${most}) f)`
    : sql`ctid = any (array(select ctid from ${table} where ${own} limit ${most}))`;
  const { rows } = await sql<{ count: number }>`
    with gone as (delete from ${table} where ${own} and ${chosen} returning 1)
    select count(*)::int as count from gone`.execute(tx);
  return rows[0]?.count ?? 0;
}

/**
 * Deletes facts and seals of a workspace whose purge has begun, at most so many of each; answers how many went. The
 * database refuses it for any other workspace.
 */
export async function purgeChain(tx: Tx, most: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select convoke_purge_chain(${most}::int)::int as count`.execute(tx);
  return rows[0]?.count ?? 0;
}
