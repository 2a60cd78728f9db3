import type { Driven } from '../channels/index.ts';
import { type DueItem, newId } from '../kernel/index.ts';
import type { BeginOptions, Begun } from './begin.ts';
import type { Book, Books, Change, OpenAttempt } from './book/index.ts';
import { WATCH_GRACE_MS, watchAt, watchKey } from './due-kinds.ts';
import { doubt, type Journey } from './journey.ts';

export type RecoverOptions = BeginOptions & {
  /** Whether this process still waits for the answer to an attempt, or for a sign of it after a new connect. */
  awaits(attemptId: string): boolean;
};

/** Of attempts that may have left, for a connection that comes and goes all the time. */
const MOST_DOUBTED = 20;

/**
 * Looks at what is on the wire of a channel and has no sign of life, after the provider has handed over everything
 * that waited: an answer, echo or receipt would have shown by now. Where we name the message and it is young
 * enough, the same bytes go out again under the same id; everything else becomes unknown. Only the holder of the
 * channel's lease does this, so there is one owner of re-sending. `drawn` as in `begin`.
 */
export async function recover(
  books: Books,
  driven: Driven,
  drawn: Begun[],
  options: RecoverOptions,
): Promise<void> {
  await books.open('messages.recover', async book => {
    drawn.length = 0;
    if ((await book.stillDriven([driven])).length === 0) return;
    const all = await book.lockOpen({ workspaceId: driven.workspaceId, channelId: driven.channelId });
    const lost = all.filter(({ id }) => !options.awaits(id));
    if (lost.length === 0) return;
    await closeAttempts(book, lost);
    const now = options.now();
    const doubted = lost.map(attempt => ({ attempt, next: doubt(attempt.locked.journey, now) }));
    const again = await allowed(book, doubted, now);
    const deadline = new Date(now.getTime() + options.deadlineMs);
    for (const attempt of again) drawn.push(resendOf(attempt, driven, deadline));
    await book.insertAttempts(
      again.map((attempt, index) => ({
        workspaceId: attempt.locked.workspaceId,
        deliveryId: attempt.locked.deliveryId,
        id: drawn[index]?.attemptId ?? '',
        channelId: attempt.channelId,
        number: attempt.number + 1,
        wire: attempt.wire,
        fence: driven.fence,
        deadline,
      })),
    );
    await write(
      book,
      doubted.map(({ attempt, next }) => ({ locked: attempt.locked, next })),
      new Set(again.map(({ locked }) => locked.deliveryId)),
      new Date(deadline.getTime() + WATCH_GRACE_MS),
      now,
    );
  });
}

/** Whoever began these is not waiting any more: from now on only evidence can change them. */
async function closeAttempts(book: Book, lost: OpenAttempt[]): Promise<void> {
  await book.settleAttempts(
    lost
      .filter(attempt => attempt.inFlight)
      .map(({ locked, id, channelId }) => ({
        workspaceId: locked.workspaceId,
        deliveryId: locked.deliveryId,
        attemptId: id,
        channelId,
        verdict: {
          status: 'unknown',
          code: 'interrupted',
          detail: 'Convoke was interrupted while this was on the wire.',
        },
        providerId: null,
      })),
  );
}

/** Those that may go out once more; guards are asked again, as somebody may have opted out meanwhile. */
async function allowed(
  book: Book,
  doubted: { attempt: OpenAttempt; next: Journey }[],
  now: Date,
): Promise<OpenAttempt[]> {
  const young = doubted
    .filter(({ attempt, next }) => next.status === 'in_flight' && attempt.doubted < MOST_DOUBTED)
    .map(({ attempt }) => attempt);
  const guarded = await book.askGuards(
    young.map(({ locked }) => locked),
    now,
  );
  return young.filter(({ locked }) => !guarded.has(locked.deliveryId));
}

function resendOf(attempt: OpenAttempt, driven: Driven, deadline: Date): Begun {
  const { locked, channelId, wire } = attempt;
  return {
    workspaceId: locked.workspaceId,
    channelId,
    deliveryId: locked.deliveryId,
    attemptId: newId(),
    driven,
    wire,
    dueAt: locked.journey.dueAt,
    deadline,
  };
}

async function write(
  book: Book,
  changes: Change[],
  again: Set<string>,
  answerBy: Date,
  now: Date,
): Promise<void> {
  await book.writeJourneys(changes);
  await book.scheduleDue(
    changes.flatMap(({ locked, next }) => {
      if (again.has(locked.deliveryId)) return [watchAt(locked, answerBy)];
      const at = watchOf(next, now);
      return at ? [watchAt(locked, at)] : [];
    }),
  );
  const done = changes.filter(
    ({ locked, next }) => !again.has(locked.deliveryId) && watchOf(next, now) === undefined,
  );
  await book.dropDue(done.map(({ locked }) => watchKey(locked)));
}

/**
 * What turns out to have arrived while it waited to be sent again has no window any more: its watch looks when it would
 * have gone, and ends what may still be open.
 */
export function sooner(changes: Change[]): DueItem[] {
  return changes
    .filter(({ locked, next }) => locked.journey.status === 'queued' && next.status !== 'queued')
    .map(({ locked }) => watchAt(locked, locked.journey.dueAt));
}

/** Later evidence gets this long before the workspace's policy decides about an unknown message. */
export const EVIDENCE_MS = 5 * 60_000;

/** When somebody has to look next at a message without an answer; undefined when nobody has to. */
export function watchOf(journey: Journey, now: Date): Date | undefined {
  if (journey.status === 'in_flight') return journey.resendUntil ?? now;
  if (journey.status === 'unknown' && journey.onUnknown) return new Date(now.getTime() + EVIDENCE_MS);
  return undefined;
}
