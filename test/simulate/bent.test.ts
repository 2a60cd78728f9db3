import { describe, expect, it } from 'vitest';
import type { Book, Books, Change } from '../../src/messages/book/index.ts';
import { deliveryAt, watchAt } from '../../src/messages/due-kinds.ts';
import { runSeries } from './series.ts';

/** A book that does one thing wrong. */
type Bend = (book: Book) => Partial<Book>;

const bendBooks =
  (bend: Bend) =>
  (books: Books): Books => ({
    open: (name, work) => books.open(name, book => work({ ...book, ...bend(book) })),
  });

let drawn = 0;

const bends: [what: string, caughtAs: RegExp, bend: Bend][] = [
  [
    'sends again under a fresh id',
    /under another id|different ids/,
    book => ({
      lockOpen: async of =>
        (await book.lockOpen(of)).map(attempt => ({
          ...attempt,
          wire: { ...attempt.wire, providerId: `fresh-${++drawn}` },
        })),
    }),
  ],
  [
    'does not ask whether the channel is still its own',
    /under a fence that is over|without its lease/,
    () => ({ stillDriven: async driven => driven }),
  ],
  [
    'puts what got no answer back into the outbox',
    /under different ids|was sent all the same/,
    book => {
      const back = new Set<string>();
      return {
        writeJourneys: async changes => {
          const bent = changes.map(asQueued);
          await book.writeJourneys(bent);
          for (const { locked, next } of bent.filter((change, index) => change !== changes[index])) {
            back.add(locked.deliveryId);
            await book.scheduleDue([deliveryAt(locked, next.dueAt), watchAt(locked, next.catchUpUntil)]);
          }
        },
        dropDue: keys => book.dropDue(keys.filter(({ subjectId }) => !back.has(subjectId))),
        scheduleDue: items => book.scheduleDue(items.filter(({ subjectId }) => !back.has(subjectId))),
      };
    },
  ],
  ['takes due work that is not its own any more', /./, () => ({ takeDue: async items => items })],
  [
    'believes every answer, also those that were settled before',
    /./,
    book => ({
      settleAttempts: async results => {
        await book.settleAttempts(results);
        return new Set(results.map(({ attemptId }) => attemptId));
      },
    }),
  ],
  ['forgets to watch what is on the wire', /nobody/, () => ({ scheduleDue: async () => {} })],
];

function asQueued(change: Change): Change {
  const { locked, next } = change;
  if (locked.journey.status !== 'in_flight' || next.status !== 'unknown') return change;
  return { locked, next: { ...next, status: 'queued', reason: null, detail: null, endedAt: null } };
}

describe('the simulation notices an engine that', () => {
  it.each(bends)(
    '%s',
    async (_what, caughtAs, bend) => {
      const { failed } = await runSeries({
        from: 1,
        count: 400,
        mode: 'safety',
        nodes: 2,
        bend: bendBooks(bend),
      });
      expect(failed?.violation).toMatch(caughtAs);
    },
    120_000,
  );
});
