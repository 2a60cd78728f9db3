import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ground, memoryGround, sqlGround } from '../../../test/harness/grounds.ts';
import { newId } from '../../kernel/index.ts';
import { DELIVERY, deliveryAt, deliveryKey, WATCH, watchAt } from '../due-kinds.ts';
import { advance } from '../journey.ts';
import type { Book, Locked } from './index.ts';

/** What the engine counts on, of the database and of the one that the simulation puts in its place. */
describe.each([
  ['over the database', sqlGround],
  ['in memory', memoryGround],
])('a book %s', (_name, open) => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await open();
  });
  afterAll(() => ground.close());

  const inBook = <T>(work: (book: Book) => Promise<T>) => ground.books.open('test.contract', work);
  const keyOf = (deliveryId: string) => ({ workspaceId: ground.workspaceId, deliveryId });

  async function claimed(deliveryId: string) {
    const { kind, bootId, limit } = { kind: DELIVERY, bootId: ground.bootId, limit: 500 };
    const { items } = await ground.due.claimInOrder({ kind, bootId, limit, aheadMs: 1_500, leaseMs: 30_000 });
    return items.filter(item => item.subjectId === deliveryId);
  }

  async function lock(book: Book, deliveryId: string): Promise<Locked> {
    const locked = (await book.lockJourneys([keyOf(deliveryId)])).get(deliveryId);
    if (!locked) throw new Error('There is no such delivery.');
    return locked;
  }

  const statusOf = (deliveryId: string) =>
    inBook(async book => (await lock(book, deliveryId)).journey.status);

  function attempt(deliveryId: string, number = 1, more: { providerId?: string; deadline?: Date } = {}) {
    const { providerId = newId(), deadline = new Date(Date.now() + 60_000) } = more;
    const wire = { providerId, to: 'tel:1', payload: Buffer.from('hello') };
    const of = { ...keyOf(deliveryId), channelId: ground.channelId };
    return { ...of, id: newId(), number, wire, fence: 1, deadline };
  }

  /** As `begin` leaves it. */
  async function begin(deliveryId: string, begun = attempt(deliveryId)) {
    await inBook(async book => {
      const locked = await lock(book, deliveryId);
      await book.dropDue([deliveryKey(keyOf(deliveryId))]);
      await book.insertAttempts([begun]);
      await book.writeJourneys([{ locked, next: advance(locked.journey, 'in_flight', new Date()) }]);
      await book.scheduleDue([watchAt(begun, begun.deadline)]);
    });
    return begun;
  }

  function settle(
    begun: ReturnType<typeof attempt>,
    status: 'accepted' | 'refused' | 'deferred' | 'unknown',
  ) {
    const verdict = { status, code: null, detail: null };
    const of = { ...keyOf(begun.deliveryId), attemptId: begun.id, channelId: begun.channelId };
    return inBook(book => book.settleAttempts([{ ...of, verdict, providerId: null }]));
  }

  it('does all of a transaction or nothing', async () => {
    const id = await ground.accept();
    const failing = inBook(async book => {
      const locked = await lock(book, id);
      await book.writeJourneys([{ locked, next: advance(locked.journey, 'cancelled', new Date()) }]);
      await book.dropDue([deliveryKey(keyOf(id))]);
      throw new Error('in the middle');
    });
    await expect(failing).rejects.toThrow('in the middle');
    expect(await statusOf(id)).toBe('queued');
    expect(await ground.listed(DELIVERY)).toContain(id);
  });

  it('lets the second of two wait, and see what the first has done', async () => {
    const id = await ground.accept();
    const locked = Promise.withResolvers<void>();
    const first = inBook(async book => {
      const mine = await lock(book, id);
      locked.resolve();
      await book.writeJourneys([{ locked: mine, next: advance(mine.journey, 'in_flight', new Date()) }]);
    });
    await locked.promise;
    expect(await statusOf(id)).toBe('in_flight');
    await first;
  });

  it('takes due work that is claimed, once, and nothing that has been moved', async () => {
    const [id, moved] = [await ground.accept(), await ground.accept()];
    const items = await claimed(id);
    const others = await ground.due.claimInOrder({
      kind: DELIVERY,
      bootId: newId(),
      limit: 500,
      aheadMs: 1_500,
      leaseMs: 30_000,
    });
    expect(others.items.map(({ subjectId }) => subjectId)).not.toContain(id);
    expect(items).toHaveLength(1);
    expect(await inBook(book => book.takeDue(items))).toEqual(items);
    expect(await inBook(book => book.takeDue(items))).toEqual([]);
    const item = { ...items[0], subjectId: moved } as (typeof items)[number];
    await inBook(book => book.scheduleDue([item]));
    expect(await inBook(book => book.takeDue([item]))).toEqual([]);
    expect(await claimed(moved)).toHaveLength(1);
  });

  it('gives claims back at once or after a while', async () => {
    const id = await ground.accept();
    const items = await claimed(id);
    await ground.due.giveBack(ground.bootId, items, 0);
    expect(await claimed(id)).toEqual(items);
    await ground.due.giveBack(ground.bootId, items, 60_000);
    expect(await claimed(id)).toEqual([]);
  });

  it('keeps one row of due work for a delivery and kind', async () => {
    const id = await ground.accept();
    const of = { ...keyOf(id), channelId: ground.channelId };
    await inBook(book =>
      book.scheduleDue([deliveryAt(of, new Date()), watchAt(of, new Date(Date.now() + 1_000))]),
    );
    expect((await ground.listed(DELIVERY)).filter(one => one === id)).toHaveLength(1);
    expect((await ground.listed(WATCH)).filter(one => one === id)).toHaveLength(1);
  });

  it('settles an attempt once, and lets only evidence change one that was unknown', async () => {
    const begun = await begin(await ground.accept());
    expect(await settle(begun, 'unknown')).toEqual(new Set([begun.id]));
    expect(await settle(begun, 'deferred')).toEqual(new Set());
    expect(await settle(begun, 'accepted')).toEqual(new Set([begun.id]));
    expect(await settle(begun, 'refused')).toEqual(new Set());
    expect(await settle(attempt(begun.deliveryId, 9), 'accepted')).toEqual(new Set());
  });

  it('knows the newest attempt, and to whom a word about its id belongs', async () => {
    const first = await begin(await ground.accept());
    await settle(first, 'unknown');
    const { providerId } = first.wire;
    const second = await begin(first.deliveryId, attempt(first.deliveryId, 2, { providerId }));
    const stranger = attempt(await ground.accept(), 1, { providerId });
    await begin(stranger.deliveryId, stranger);
    const last = await inBook(book => book.lastAttempts([keyOf(first.deliveryId)]));
    expect(last.get(first.deliveryId)).toMatchObject({ id: second.id, number: 2 });
    const { workspaceId, channelId } = ground;
    const words = [providerId, 'of nobody'].map(id => ({
      workspaceId,
      channelId,
      providerId: id,
      word: id,
    }));
    expect(await inBook(book => book.findNamed(words))).toEqual([
      { workspaceId, deliveryId: first.deliveryId, attemptId: second.id, word: providerId },
    ]);
  });

  it('counts the attempts that may have got through', async () => {
    const { deliveryId, ...first } = await begin(await ground.accept());
    const counted = async () => {
      const { workspaceId, channelId } = ground;
      const open = await inBook(book => book.lockOpen({ workspaceId, channelId }));
      return open.find(({ locked }) => locked.deliveryId === deliveryId)?.doubted;
    };
    const perhaps = () => inBook(book => book.perhapsArrived([keyOf(deliveryId)]));
    expect(await counted()).toBe(1);
    await settle({ deliveryId, ...first }, 'unknown');
    const second = attempt(deliveryId, 2, { providerId: first.wire.providerId });
    await inBook(book => book.insertAttempts([second]));
    expect(await counted()).toBe(2);
    await settle(second, 'deferred');
    expect([await counted(), await perhaps()]).toEqual([1, new Set([deliveryId])]);
    await settle({ deliveryId, ...first }, 'refused');
    expect([await counted(), await perhaps()]).toEqual([0, new Set()]);
  });

  it('ends attempts whose time is over, and names the deadline of those that have time', async () => {
    const deadline = new Date(Date.now() - 1_000);
    const late = await ground.accept();
    const overdue = await begin(late, attempt(late, 1, { deadline }));
    const young = await begin(await ground.accept());
    const open = await inBook(async book => {
      const locked = await book.lockJourneys([late, young.deliveryId].map(keyOf));
      return book.endOverdue(
        [...locked.values()].map(of => ({ of, at: new Date(), status: 'unknown' as const })),
      );
    });
    expect(open).toEqual(new Map([[young.deliveryId, young.deadline]]));
    expect(await settle(overdue, 'deferred')).toEqual(new Set());
    expect(await settle(young, 'deferred')).toEqual(new Set([young.id]));
  });

  it('finds what is on the wire of a channel, and nothing that is settled', async () => {
    const [open, done] = [await begin(await ground.accept()), await begin(await ground.accept())];
    await inBook(async book => {
      const locked = await lock(book, done.deliveryId);
      await book.writeJourneys([{ locked, next: advance(locked.journey, 'sent', new Date()) }]);
    });
    const { workspaceId, channelId } = ground;
    const found = await inBook(book => book.lockOpen({ workspaceId, channelId }));
    const ids = found.map(({ id }) => id);
    expect(ids).toContain(open.id);
    expect(ids).not.toContain(done.id);
    const mine = found.find(({ id }) => id === open.id);
    expect(mine).toMatchObject({ number: 1, inFlight: true, channelId, locked: keyOf(open.deliveryId) });
    expect(mine?.wire.providerId).toBe(open.wire.providerId);
  });

  it('counts a receipt once per recipient and kind', async () => {
    const { deliveryId } = await begin(await ground.accept());
    const receipt = (recipient: string, kind: 'delivered' | 'read') => ({
      ...keyOf(deliveryId),
      id: newId(),
      recipient,
      kind,
      at: new Date(),
      implied: false,
    });
    const both = [receipt('a', 'delivered'), receipt('b', 'delivered')];
    expect(await inBook(book => book.insertReceipts(both))).toEqual(both);
    const more = [receipt('a', 'delivered'), receipt('a', 'read')];
    expect(await inBook(book => book.insertReceipts(more))).toEqual(more.slice(1));
  });

  it('clears up what was unknown and nothing else', async () => {
    const [unknown, refused] = [await begin(await ground.accept()), await begin(await ground.accept())];
    await settle(unknown, 'unknown');
    await settle(refused, 'refused');
    await inBook(book =>
      book.clearUpAttempts([unknown, refused].map(({ workspaceId, id }) => ({ workspaceId, attemptId: id }))),
    );
    expect(await settle(unknown, 'accepted')).toEqual(new Set());
    const { workspaceId, channelId } = ground;
    const found = await inBook(book => book.lockOpen({ workspaceId, channelId }));
    expect(found.find(({ id }) => id === unknown.id)?.inFlight).toBe(false);
  });
});
