import type { LateAnswer, SendOutcome } from '../channels/index.ts';
import { type GroupCommit, groupCommit } from '../kernel/index.ts';
import type { Book, Books, Change, Locked } from './book/index.ts';
import { deliveryAt, watchAt, watchKey } from './due-kinds.ts';
import { type Journey, judgeAttempt, settle } from './journey.ts';
import { sooner, watchOf } from './recover.ts';

/** The answer to one attempt, from the wire or late. */
export type Settlement = {
  workspaceId: string;
  channelId: string;
  deliveryId: string;
  attemptId: string;
  /** The id that the attempt is known by, before the answer. */
  providerId: string;
  outcome: SendOutcome;
  answerMeans: 'sent' | 'accepted';
};

/** Answers whether the message is still on the wire after it: nobody knows yet what became of it. */
export type Settling = GroupCommit<Settlement, { open: boolean }>;

const BATCH = 500;

/** Answers are written in batches: one commit for all that came while the one before was written. */
export function createSettling(books: Books, now: () => Date): Settling {
  return groupCommit(
    async settlements => {
      const open = await books.open('messages.settle', book => settleAll(book, settlements, now()));
      return settlements.map(({ deliveryId }) => ({ open: open.has(deliveryId) }));
    },
    { max: BATCH },
  );
}

/** Finds the attempts that late answers belong to; answers to what is not ours are dropped. */
export async function findLate(
  books: Books,
  of: { workspaceId: string; channelId: string; answerMeans: 'sent' | 'accepted' },
  answers: LateAnswer[],
): Promise<Settlement[]> {
  const named = await books.open('messages.late', book =>
    book.findNamed(
      answers.map(({ providerId, outcome }) => ({
        workspaceId: of.workspaceId,
        channelId: of.channelId,
        providerId,
        word: { providerId, outcome },
      })),
    ),
  );
  return named.map(({ deliveryId, attemptId, word }) => ({ ...of, deliveryId, attemptId, ...word }));
}

async function settleAll(book: Book, all: Settlement[], now: Date): Promise<Set<string>> {
  const settlements = strongestOf(all);
  const locked = await book.lockJourneys(settlements);
  const settled = await book.settleAttempts(
    settlements.map(({ outcome, ...of }) => ({
      ...of,
      verdict: judgeAttempt(outcome),
      providerId: newName(outcome, of.providerId),
    })),
  );
  const news = await withoutOldRefusals(
    book,
    settlements.filter(({ attemptId }) => settled.has(attemptId)),
  );
  const refused = await withoutDoubt(book, news, locked);
  const journeys = new Map<string, Journey>();
  for (const { deliveryId, outcome, answerMeans } of news) {
    const known = journeys.get(deliveryId) ?? locked.get(deliveryId)?.journey;
    const before = known && refused.has(deliveryId) ? { ...known, doubtAt: null } : known;
    if (before) journeys.set(deliveryId, settle(before, outcome, answerMeans, now));
  }
  const changes = [...journeys].flatMap(([deliveryId, next]): Change[] => {
    const of = locked.get(deliveryId);
    return of ? [{ locked: of, next }] : [];
  });
  await book.writeJourneys(changes);
  await schedule(book, changes, now);
  const restricting = settlements.flatMap(({ workspaceId, channelId, outcome }) =>
    outcome.outcome === 'refused' && outcome.restricts
      ? [{ workspaceId, channelId, reason: outcome.code }]
      : [],
  );
  if (restricting.length > 0) await book.restrict(restricting, now);
  return stillOpen(locked, journeys);
}

/** What was refused once may have been sent again since: then only the answer to the newest attempt counts. */
async function withoutOldRefusals(book: Book, settlements: Settlement[]): Promise<Settlement[]> {
  const refused = settlements.filter(({ outcome }) => outcome.outcome === 'refused');
  if (refused.length === 0) return settlements;
  const last = await book.lastAttempts(refused);
  return settlements.filter(
    ({ outcome, deliveryId, attemptId }) =>
      outcome.outcome !== 'refused' || last.get(deliveryId)?.id === attemptId,
  );
}

/** Of what is refused and was in doubt, that of which no attempt can have got through: the refusal says it all. */
async function withoutDoubt(
  book: Book,
  news: Settlement[],
  locked: Map<string, Locked>,
): Promise<Set<string>> {
  const doubted = news.filter(
    ({ outcome, deliveryId }) =>
      outcome.outcome === 'refused' && locked.get(deliveryId)?.journey.doubtAt !== null,
  );
  if (doubted.length === 0) return new Set();
  const open = await book.perhapsArrived(doubted);
  return new Set(doubted.map(({ deliveryId }) => deliveryId).filter(id => !open.has(id)));
}

/** Also what this batch did not change: the same answer may have been stored before, or the watch was faster. */
function stillOpen(locked: Map<string, Locked>, journeys: Map<string, Journey>): Set<string> {
  const open = [...locked].filter(([id, of]) => (journeys.get(id) ?? of.journey).status === 'in_flight');
  return new Set(open.map(([id]) => id));
}

async function schedule(book: Book, changes: Change[], now: Date): Promise<void> {
  await book.scheduleDue(
    changes.flatMap(({ locked, next }) => {
      if (next.status === 'queued')
        return [deliveryAt(locked, next.dueAt), watchAt(locked, next.catchUpUntil)];
      const at = watchOf(next, now);
      return at ? [watchAt(locked, at)] : [];
    }),
  );
  await book.scheduleDue(sooner(changes));
  // Where one attempt is in doubt another may still be open: the watch stays, and ends it in its time.
  const over = changes.filter(
    ({ next }) => next.status !== 'queued' && watchOf(next, now) === undefined && next.doubtAt === null,
  );
  await book.dropDue(over.map(({ locked }) => watchKey(locked)));
}

/** The provider's own id, where the answer brings one. */
function newName(outcome: SendOutcome, known: string): string | null {
  return outcome.outcome === 'accepted' && outcome.providerId !== known ? outcome.providerId : null;
}

const STRENGTH = { unknown: 0, deferred: 1, refused: 2, accepted: 3 } as const;

/** One answer per attempt: the own and the late one may meet in a batch. */
function strongestOf(settlements: Settlement[]): Settlement[] {
  const best = new Map<string, Settlement>();
  for (const settlement of settlements) {
    const known = best.get(settlement.attemptId);
    if (!known || STRENGTH[settlement.outcome.outcome] > STRENGTH[known.outcome.outcome])
      best.set(settlement.attemptId, settlement);
  }
  return [...best.values()];
}
