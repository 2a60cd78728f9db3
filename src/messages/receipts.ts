import type { ReceiptFact } from '../channels/index.ts';
import { type GroupCommit, groupCommit, newId } from '../kernel/index.ts';
import type { Book, Books, Named, ReceiptKey } from './book/index.ts';
import { applyReceipts } from './journey.ts';
import { sooner } from './recover.ts';

export type ReceiptItem = { workspaceId: string; channelId: string; fact: ReceiptFact };

export type ReceiptIntake = GroupCommit<ReceiptItem, void>;

const BATCH = 500;

/**
 * Stores receipts in batches. Each counts once per delivery, recipient and kind, whatever order and
 * number they come in; those of messages that are not ours are dropped. A receipt may overtake the
 * answer to its attempt: its provider id is known since before the send.
 */
export function createReceiptIntake(
  books: Books,
  onStored: (workspaceIds: Set<string>) => void,
): ReceiptIntake {
  return groupCommit(
    async items => {
      await books.open('messages.receipts', book => storeReceipts(book, items));
      onStored(new Set(items.map(item => item.workspaceId)));
      return items.map(() => undefined);
    },
    { max: BATCH },
  );
}

async function storeReceipts(book: Book, items: ReceiptItem[]): Promise<void> {
  const known = await book.findNamed(
    items.map(({ workspaceId, channelId, fact }) => ({
      workspaceId,
      channelId,
      providerId: fact.providerId,
      word: fact,
    })),
  );
  const locked = await book.lockJourneys(known);
  const fresh = await book.insertReceipts(keysOf(known));
  const counts = new Map<string, { delivered: number; read: number; at: Date }>();
  for (const { deliveryId, kind, at } of fresh) {
    const count = counts.get(deliveryId) ?? { delivered: 0, read: 0, at };
    count[kind] += 1;
    if (at > count.at) count.at = at;
    counts.set(deliveryId, count);
  }
  const changes = [...locked.values()].flatMap(delivery => {
    const count = counts.get(delivery.deliveryId);
    return count ? [{ locked: delivery, next: applyReceipts(delivery.journey, count) }] : [];
  });
  await book.writeJourneys(changes);
  await book.scheduleDue(sooner(changes));
  // A receipt proves what an attempt that got no answer could not tell.
  const doubted = new Set(
    [...locked.values()]
      .filter(({ journey }) => journey.status === 'unknown' || journey.doubtAt)
      .map(({ deliveryId }) => deliveryId),
  );
  await book.clearUpAttempts(known.filter(({ deliveryId }) => doubted.has(deliveryId)));
}

function keysOf(known: Named<ReceiptFact>[]): ReceiptKey[] {
  const keys = new Map<string, ReceiptKey>();
  for (const { workspaceId, deliveryId, word: fact } of known) {
    const kinds = fact.kind === 'read' ? (['delivered', 'read'] as const) : (['delivered'] as const);
    for (const kind of kinds) {
      const name = `${deliveryId} ${kind} ${fact.recipient}`;
      const implied = kind !== fact.kind;
      const before = keys.get(name);
      if (before && (implied || !before.implied)) continue;
      const { recipient, at } = fact;
      keys.set(name, { id: newId(), workspaceId, deliveryId, recipient, kind, at, implied });
    }
  }
  return [...keys.values()];
}
