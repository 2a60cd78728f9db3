import { createDueWorker, type DueItem, type DueRows, type DueWorker, type Kernel } from '../kernel/index.ts';
import type { Book, Books, Change, Locked } from './book/index.ts';
import { deliveryAt, deliveryKey, WATCH, WATCH_GRACE_MS, watchAt } from './due-kinds.ts';
import { advance, doubt, GIVEN_UP, type Journey, MISSED, RESTRICTED, sendAgain } from './journey.ts';
import { EVIDENCE_MS } from './recover.ts';

/** A channel that is ready works through what waits at its own pace: its messages are looked at again so much later. */
const STILL_WAITING_MS = { least: 3_600_000, most: 86_400_000 };
/** A channel that has only just gone is looked at again before anything is called missed. */
const BACK_SOON_MS = 15_000;
/** What is parked has its window decided about when it is armed; this look is in case nobody did. */
const STILL_PARKED_MS = 86_400_000;
/** How often a policy may send an unknown message by itself before it is left to a person. */
const MOST_SENT_AGAIN = 3;

/**
 * Ends what waits in vain, on any node: queued beyond its catch-up window while its channel was not ready = missed,
 * on the wire without an answer = unknown, unknown under a policy = sent again or given up.
 */
export function createWatch(kernel: Kernel, books: Books, due: DueRows): DueWorker {
  return createDueWorker(
    kernel,
    {
      kind: WATCH,
      lanes: 'all',
      // One whose clock is wrong must not call the attempts of others overdue.
      by: 'database',
      fire: items => books.open('messages.watch', book => endAll(book, items, kernel.clock.now())),
    },
    due,
  );
}

type Watched = { of: Locked; at: Date };
type Next = { of: Locked; next: Journey; watchAt?: Date };

/** Compares instants with each other and never with a clock, so that a skewed one cannot go in circles. */
async function endAll(book: Book, items: DueItem[], now: Date): Promise<void> {
  const locked = await book.lockJourneys(
    items.map(item => ({ workspaceId: item.workspaceId, deliveryId: item.subjectId })),
  );
  const taken = await book.takeDue(items);
  const watched = taken.flatMap((item): Watched[] => {
    const of = locked.get(item.subjectId);
    return of ? [{ of, at: item.dueAt }] : [];
  });
  const having = (status: string) => watched.filter(({ of }) => of.journey.status === status);
  const results = [
    ...(await endQueued(book, having('queued'), now)),
    ...(await endSent(
      book,
      watched.filter(({ of }) => of.journey.status !== 'queued' && of.journey.status !== 'unknown'),
      now,
    )),
    ...(await decide(book, having('unknown'), now)),
  ];
  const changes = results.map(({ of, next }): Change => ({ locked: of, next }));
  await book.writeJourneys(changes);
  await book.dropDue(
    changes.filter(({ next }) => next.status === 'missed').map(({ locked: of }) => deliveryKey(of)),
  );
  await book.scheduleDue(results.flatMap(due));
}

function due({ of, next, watchAt: at }: Next): DueItem[] {
  const sentAgain = next.status === 'queued' && of.journey.status !== 'queued';
  const again = sentAgain ? [deliveryAt(of, next.dueAt)] : [];
  return at ? [...again, watchAt(of, at)] : again;
}

async function endQueued(book: Book, watched: Watched[], now: Date): Promise<Next[]> {
  const over = watched.filter(({ of, at }) => at >= of.journey.catchUpUntil);
  const readiness = await book.readReadiness(over.map(({ of }) => of));
  return watched.map(({ of, at }): Next => {
    const { journey } = of;
    if (at < journey.catchUpUntil) return { of, next: journey, watchAt: journey.catchUpUntil };
    const ready = readiness.get(of.deliveryId);
    if (ready === 'parked') return { of, next: journey, watchAt: new Date(at.getTime() + STILL_PARKED_MS) };
    if (ready === 'away') return { of, next: journey, watchAt: new Date(now.getTime() + BACK_SOON_MS) };
    if (ready === 'restricted') return { of, next: advance(journey, 'missed', now, RESTRICTED) };
    if (ready !== 'ready') return { of, next: advance(journey, 'missed', now, MISSED) };
    const catchUpUntil = new Date(at.getTime() + stillWaitingMs(journey));
    return { of, next: { ...journey, catchUpUntil }, watchAt: catchUpUntil };
  });
}

/** The longer it may wait, the less often it is looked at: a backlog may be long. */
function stillWaitingMs({ dueAt, catchUpUntil }: Journey): number {
  return Math.min(
    Math.max(catchUpUntil.getTime() - dueAt.getTime(), STILL_WAITING_MS.least),
    STILL_WAITING_MS.most,
  );
}

/** An attempt that is overdue has no answer; one whose message is known to have arrived counts as accepted. */
async function endSent(book: Book, watched: Watched[], now: Date): Promise<Next[]> {
  const open = await book.endOverdue(
    watched.map(({ of, at }) => ({
      of,
      at,
      status: of.journey.status === 'in_flight' ? 'unknown' : 'accepted',
    })),
  );
  return watched.map(({ of, at }): Next => {
    const deadline = open.get(of.deliveryId);
    if (deadline) return { of, next: of.journey, watchAt: new Date(deadline.getTime() + WATCH_GRACE_MS) };
    if (of.journey.status !== 'in_flight') return { of, next: of.journey };
    const next = doubt(of.journey, at > now ? at : now);
    if (next.status === 'in_flight' && next.resendUntil) return { of, next, watchAt: next.resendUntil };
    return next.onUnknown ? { of, next, watchAt: new Date(now.getTime() + EVIDENCE_MS) } : { of, next };
  });
}

/** What the workspace wants done with messages that stay unknown. */
async function decide(book: Book, watched: Watched[], now: Date): Promise<Next[]> {
  const last = await book.lastAttempts(watched.map(({ of }) => of));
  return watched.map(({ of }): Next => {
    const { journey } = of;
    if (journey.onUnknown === 'give_up') return { of, next: advance(journey, 'failed', now, GIVEN_UP) };
    if (journey.onUnknown !== 'send_again' || (last.get(of.deliveryId)?.number ?? 0) >= MOST_SENT_AGAIN)
      return { of, next: journey };
    const next = sendAgain(journey, now);
    return { of, next, watchAt: next.catchUpUntil };
  });
}
