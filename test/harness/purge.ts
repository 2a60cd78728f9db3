import { sql } from 'kysely';
import { newId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/index.ts';
import { until } from './until.ts';

/** How many rows of the workspace there are, by table; a table without any is left out. Whatever has the column counts. */
export function rowsOf(kernel: Kernel, workspaceId: string): Promise<Record<string, number>> {
  return kernel.database.workspace(workspaceId, async tx => {
    const { rows: tables } = await sql<{ name: string }>`
      select c.relname::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        and a.attname = 'workspace_id' and not a.attisdropped
      order by c.relname`.execute(tx);
    const counts: [string, number][] = [];
    for (const { name } of tables) {
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from ${sql.table(name)} where workspace_id = ${workspaceId}`.execute(
        tx,
      );
      counts.push([name, rows[0]?.count ?? 0]);
    }
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  });
}

/** Rows in many tables, of several months, as years of use leave them; and facts of the workspace. */
export async function newRows(kernel: Kernel, workspaceId: string): Promise<void> {
  const [channel, contact, reminder] = [newId(), newId(), newId()];
  const w = sql`${workspaceId}::uuid`;
  const months = sql`generate_series(0, 24) as n,
    lateral (select overlay(convoke_first_id(now() - n * interval '4 days')::text placing lpad(n::text, 4, '0') from 33)::uuid as id) i`;
  await kernel.secrets.vault(workspaceId);
  await kernel.database.workspace(workspaceId, async tx => {
    const run = (statement: ReturnType<typeof sql>) => statement.execute(tx);
    await run(
      sql`insert into channels (workspace_id, id, kind, label) values (${w}, ${channel}, 'linked', 'Old')`,
    );
    await run(
      sql`insert into channel_keys select ${w}, ${channel}, 'k', n::text, '\\x00' from generate_series(1, 9) n`,
    );
    await run(sql`insert into groups (workspace_id, id, channel_id, provider_id, subject)
      select ${w}, id, ${channel}, n || '@g.us', 'Choir' from ${months}`);
    await run(sql`insert into messages (workspace_id, id, channel_id, direction, source, content)
      select ${w}, id, ${channel}, 'out', 'api', '{}' from ${months}`);
    await run(sql`insert into deliveries (workspace_id, id, message_id, channel_id, phone, due_at, catch_up_until)
      select ${w}, id, id, ${channel}, '+4915551234567', now(), now() from ${months}`);
    await run(sql`insert into receipts select ${w}, id, id, 'x', 'read', now() from ${months}`);
    await run(sql`insert into provider_ids select ${w}, ${channel}, n::text, id, id from ${months}`);
    await run(sql`insert into intake_keys select ${w}, ${channel}, n::text, id from ${months}`);
    await run(sql`insert into due_work (workspace_id, kind, subject_id, lane, due_at)
      select ${w}, 'test', id, ${channel}, now() + interval '1 day' from ${months}`);
    await run(sql`insert into contacts (workspace_id, id, name) values (${w}, ${contact}, 'Nina')`);
    await run(sql`insert into addresses (workspace_id, id, contact_id, kind, value, source)
      values (${w}, ${contact}, ${contact}, 'phone', '+4915551234567', 'by_hand')`);
    await run(sql`insert into heard_words select ${w}, ${channel}, n::text, ${contact}, 'stop', now()
      from generate_series(1, 9) n`);
    await run(sql`insert into reminders (workspace_id, id, channel_id, content, start_local, time_zone)
      values (${w}, ${reminder}, ${channel}, '{}', '2037-01-01T09:00', 'UTC')`);
    await run(sql`insert into reminder_targets (workspace_id, id, reminder_id, position, group_id)
      select ${w}, id, ${reminder}, n, id from ${months}`);
    await run(sql`insert into parkings (workspace_id, id, reason) values (${w}, ${newId()}, 'Over')`);
  });
}

/** All that was recorded has its place in its chain. */
export async function sealed(kernel: Kernel): Promise<void> {
  await until(async () => {
    const pending = await kernel.database.inEngine('test.pending', tx =>
      tx.selectFrom('activity_pending').select('id').execute(),
    );
    return pending.length === 0;
  });
}
