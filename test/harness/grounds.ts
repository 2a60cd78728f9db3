import { type DueItem, type DueRows, newId, type Scope, sqlDueRows } from '../../src/kernel/index.ts';
import { type Books, sqlBooks } from '../../src/messages/book/index.ts';
import { CATCH_UP_MS } from '../../src/messages/policy.ts';
import * as service from '../../src/messages/service.ts';
import { memoryBooks } from '../simulate/memory-book.ts';
import { memoryDueRows } from '../simulate/memory-due.ts';
import { queued } from '../simulate/people.ts';
import { deliveryKeyOf, dueKeyOf, MemoryDatabase } from '../simulate/tables.ts';
import { type TestKernel, testKernel, testWorkspace } from './database.ts';
import { ScriptedChannels, ScriptedProvider, scriptedChannel } from './scripted-adapter.ts';

/** What a book stands on, with one channel and nothing sent yet. */
export type Ground = {
  books: Books;
  due: DueRows;
  bootId: string;
  workspaceId: string;
  channelId: string;
  /** Accepts a message that is due now; answers its delivery. */
  accept(): Promise<string>;
  listed(kind: string): Promise<string[]>;
  close(): Promise<void>;
};

/** Over the database of this run. */
export async function sqlGround(): Promise<Ground> {
  new ScriptedProvider();
  const kernel = await testKernel();
  const scope = await testWorkspace(kernel);
  const channelId = await scriptedChannel(scope);
  return {
    books: sqlBooks(kernel, new ScriptedChannels(), []),
    due: sqlDueRows(kernel.database),
    bootId: kernel.node.bootId,
    workspaceId: scope.workspaceId,
    channelId,
    accept: () => acceptOverSql(kernel, scope, channelId),
    listed: async kind => {
      const rows = await kernel.database.inEngine('test.due', tx =>
        tx.selectFrom('due_work').select('subject_id').where('kind', '=', kind).execute(),
      );
      return rows.map(row => row.subject_id);
    },
    close: () => kernel.close(),
  };
}

async function acceptOverSql(kernel: TestKernel, scope: Scope, channelId: string): Promise<string> {
  const content = { type: 'text', text: { body: 'hello' } } as const;
  const messageId = await service.send(scope, { channelId, target: { phone: '+491701234567' }, content });
  const row = await kernel.database.inEngine('test.delivery', tx =>
    tx.selectFrom('deliveries').select('id').where('message_id', '=', messageId).executeTakeFirstOrThrow(),
  );
  return row.id;
}

/** In memory, as the simulation has it. */
export async function memoryGround(): Promise<Ground> {
  const db = new MemoryDatabase(() => new Date());
  const bootId = newId();
  const workspaceId = newId();
  const channelId = newId();
  return {
    books: memoryBooks(db, bootId, driven => driven),
    due: memoryDueRows(db, work => db.store.atomic(bootId, work)),
    bootId,
    workspaceId,
    channelId,
    accept: () => acceptInMemory(db, workspaceId, channelId),
    listed: async kind =>
      [...db.due.committed.values()].flatMap(row => (row.kind === kind ? [row.subjectId] : [])),
    close: async () => {},
  };
}

async function acceptInMemory(db: MemoryDatabase, workspaceId: string, channelId: string): Promise<string> {
  const deliveryId = newId();
  const now = new Date();
  const until = new Date(now.getTime() + CATCH_UP_MS.immediate);
  const row = {
    workspaceId,
    deliveryId,
    messageId: newId(),
    channelId,
    groupId: null,
    phone: '+491701234567',
  };
  await db.store.atomic('test', async tx => {
    await tx.put(db.deliveries, deliveryKeyOf(row), {
      ...row,
      text: 'hello',
      source: 'api',
      journey: queued(now, until),
    });
    for (const [kind, dueAt] of [['delivery', now] as const, ['delivery_watch', until] as const]) {
      const item: DueItem = { workspaceId, kind, subjectId: deliveryId, lane: channelId, dueAt, priority: 0 };
      await tx.put(db.due, dueKeyOf(item), { ...item, claimedBy: null, claimedUntil: null });
    }
  });
  return deliveryId;
}
