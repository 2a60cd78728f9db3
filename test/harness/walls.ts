import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Database, Tx } from '../../src/kernel/database/database.ts';
import { newId } from '../../src/kernel/ids.ts';

/** Two workspaces, each with a channel and something due. */
export async function twoWorkspaces(database: Database): Promise<[string, string]> {
  const make = async () => {
    const id = newId();
    await database.inEngine('test.workspace', tx =>
      tx
        .insertInto('workspaces')
        .values({ id, slug: `w-${id}`, name: 'Test' })
        .execute(),
    );
    await database.workspace(id, async tx => {
      await addChannel(tx, id);
      await addDue(tx, id);
    });
    return id;
  };
  return [await make(), await make()];
}

/** A failing expectation names what one workspace could do to another. */
export async function expectWalls(database: Database, mine: string, foreign: string): Promise<void> {
  const inMine = <T>(work: (tx: Tx) => Promise<T>) => database.workspace(mine, work);
  const owners = await inMine(async tx => [
    ...(await tx.selectFrom('channels').select('workspace_id').execute()),
    ...(await tx.selectFrom('due_work').select('workspace_id').execute()),
  ]);
  expect(owners.map(row => row.workspace_id)).toEqual([mine, mine]);
  const own = await inMine(tx => tx.selectFrom('workspaces').select('id').execute());
  expect(own).toEqual([{ id: mine }]);
  const changed = await inMine(tx =>
    tx.updateTable('channels').set({ label: 'taken' }).where('workspace_id', '=', foreign).executeTakeFirst(),
  );
  expect(changed.numUpdatedRows).toBe(0n);
  const deleted = await inMine(tx =>
    tx.deleteFrom('due_work').where('workspace_id', '=', foreign).executeTakeFirst(),
  );
  expect(deleted.numDeletedRows).toBe(0n);
  await expect(inMine(tx => addChannel(tx, foreign))).rejects.toMatchObject({ code: '42501' });
  const moved = inMine(tx => tx.updateTable('channels').set({ workspace_id: foreign }).execute());
  await expect(moved).rejects.toMatchObject({ code: '42501' });
  const all = await database.inEngine('test.count', tx =>
    sql<{ count: number }>`select count(*) from channels where workspace_id in (${mine}, ${foreign})`.execute(
      tx,
    ),
  );
  expect(all.rows).toEqual([{ count: 2 }]);
}

async function addChannel(tx: Tx, workspaceId: string): Promise<void> {
  await tx
    .insertInto('channels')
    .values({ workspace_id: workspaceId, id: newId(), kind: 'linked', label: 'Test' })
    .execute();
}

async function addDue(tx: Tx, workspaceId: string): Promise<void> {
  await tx
    .insertInto('due_work')
    .values({
      workspace_id: workspaceId,
      kind: 'test',
      subject_id: newId(),
      lane: newId(),
      due_at: new Date(),
    })
    .execute();
}
