import type { Driven, Wire, WireTarget } from '../channels/index.ts';
import { type DueItem, newId } from '../kernel/index.ts';
import type { Book, Books, Change, Letter, Locked, Readiness } from './book/index.ts';
import { newPeopleLane, WATCH_GRACE_MS, watchAt, watchKey } from './due-kinds.ts';
import type { Hold, Verdict } from './guards.ts';
import { advance, GROUP_GONE, type Journey, MISSED, RESTRICTED } from './journey.ts';

/** An attempt that is committed as in flight and goes to the wire next. */
export type Begun = {
  workspaceId: string;
  channelId: string;
  deliveryId: string;
  attemptId: string;
  driven: Driven;
  wire: Wire;
  /** Not to be sent before. */
  dueAt: Date;
  deadline: Date;
};

export type Picked = { item: DueItem; driven: Driven };

export type BeginOptions = {
  now: () => Date;
  /** How long the provider may take to answer. */
  deadlineMs: number;
  /** How old a message may be at most when it is sent again under its own id. */
  resendMs: number;
};

/**
 * One transaction for all that enters the wire in this moment: the channels are proved to be ours still, claims are
 * taken, each delivery is looked at again, and an attempt is written with our own provider id and the very bytes
 * that will be sent. What was cancelled or moved meanwhile is left alone; what is too late is missed; what a guard
 * holds goes back as it was.
 *
 * `drawn` holds the attempts also when the call rejects: a commit whose answer got lost may have happened.
 * Resolves with those whose channel is not ours any more: they are still claimed, and somebody else's to send.
 */
export async function begin(
  books: Books,
  picked: Picked[],
  drawn: Begun[],
  options: BeginOptions,
): Promise<DueItem[]> {
  return books.open('messages.begin', async book => {
    drawn.length = 0;
    const { candidates, letters, astray } = await takeUp(book, picked);
    const now = options.now();
    const guarded = await book.askGuards(
      candidates.map(({ locked }) => locked),
      now,
    );
    const late = candidates.flatMap(({ locked }) => (locked.overdueMs > 0 ? [locked] : []));
    const readiness = await book.readReadiness(late);
    const deadline = new Date(now.getTime() + options.deadlineMs);
    const changes: Change[] = [];
    const putBack: DueItem[] = [];
    for (const { item, locked, letter, driven } of candidates) {
      const verdict = guarded.get(locked.deliveryId);
      if (verdict && 'hold' in verdict) {
        putBack.push(
          verdict.hold === 'new_people' ? { ...item, lane: newPeopleLane(locked.channelId) } : item,
        );
        continue;
      }
      const held = withheld(locked, letter, verdict, readiness.get(locked.deliveryId), now);
      if (held) {
        changes.push({ locked, next: held });
        continue;
      }
      drawn.push(attemptOf(locked, letter, driven, deadline));
      changes.push({ locked, next: onTheWire(locked.journey, letter, driven, now, options.resendMs) });
    }
    await insertAttempts(book, drawn, letters);
    await book.writeJourneys(changes);
    await schedule(book, drawn, changes, deadline);
    await book.scheduleDue(putBack);
    return astray;
  });
}

type Candidate = { item: DueItem; locked: Locked; letter: Letter; driven: Driven };

/** Of what was picked, that which is still ours to send and still waits to be sent. */
async function takeUp(
  book: Book,
  picked: Picked[],
): Promise<{ candidates: Candidate[]; letters: Map<string, Letter>; astray: DueItem[] }> {
  const driven = new Set(await book.stillDriven([...new Set(picked.map(one => one.driven))]));
  const ours = picked.filter(one => driven.has(one.driven));
  const astray = picked.filter(one => !driven.has(one.driven)).map(({ item }) => item);
  const locked = await book.lockJourneys(
    ours.map(({ item }) => ({ workspaceId: item.workspaceId, deliveryId: item.subjectId })),
  );
  const taken = new Set(await book.takeDue(ours.map(({ item }) => item)));
  const waiting = ours.flatMap(({ item, driven: by }) => {
    const of = locked.get(item.subjectId);
    return taken.has(item) && of?.journey.status === 'queued' ? [{ item, locked: of, driven: by }] : [];
  });
  const letters = await book.readLetters(waiting.map(one => one.locked));
  const candidates = waiting.flatMap(one => {
    const letter = letters.get(one.locked.deliveryId);
    return letter ? [{ ...one, letter }] : [];
  });
  return { candidates, letters, astray };
}

/** What becomes of a delivery that must not enter the wire now; undefined when it may. */
function withheld(
  locked: Locked,
  letter: Letter,
  verdict: Exclude<Verdict, { hold: Hold }> | undefined,
  stood: Readiness | undefined,
  now: Date,
): Journey | undefined {
  const { journey } = locked;
  if (verdict) return advance(journey, verdict.end, now, verdict.why);
  // What has waited for its turn on a channel that was ready is slow, not late.
  if (locked.overdueMs > 0 && stood !== 'ready')
    return advance(journey, 'missed', now, stood === 'restricted' ? RESTRICTED : MISSED);
  const gone = locked.groupId !== null && (letter.group === null || letter.group.archived);
  return gone ? advance(journey, 'failed', now, GROUP_GONE) : undefined;
}

function onTheWire(journey: Journey, letter: Letter, driven: Driven, now: Date, resendMs: number): Journey {
  const at = journey.dueAt > now ? journey.dueAt : now;
  const mayResend = letter.resend && driven.adapter.capabilities.providerId === 'ours';
  return {
    ...advance(journey, 'in_flight', at),
    recipients: letter.group ? Math.max(0, letter.group.size - 1) : 1,
    resendUntil: mayResend ? new Date(at.getTime() + resendMs) : null,
    onUnknown: letter.onUnknown,
  };
}

/** Where we name the message, every attempt carries the id and the bytes of the first. */
function attemptOf(locked: Locked, letter: Letter, driven: Driven, deadline: Date): Begun {
  const { adapter } = driven;
  const target: WireTarget = letter.group
    ? { kind: 'group', providerId: letter.group.providerId }
    : { kind: 'phone', phone: locked.phone ?? '' };
  const before = letter.last?.channelId === locked.channelId ? letter.last.wire : undefined;
  return {
    workspaceId: locked.workspaceId,
    channelId: locked.channelId,
    deliveryId: locked.deliveryId,
    attemptId: newId(),
    driven,
    wire:
      before && adapter.capabilities.providerId === 'ours'
        ? before
        : {
            providerId: adapter.newProviderId(),
            to: adapter.address(target),
            payload: adapter.encode(letter.content),
            answersOptOut: letter.source === 'consent',
          },
    dueAt: locked.journey.dueAt,
    deadline,
  };
}

function insertAttempts(book: Book, begun: Begun[], letters: Map<string, Letter>): Promise<void> {
  return book.insertAttempts(
    begun.map(({ workspaceId, deliveryId, attemptId, channelId, wire, driven, deadline }) => ({
      workspaceId,
      deliveryId,
      id: attemptId,
      channelId,
      number: (letters.get(deliveryId)?.last?.number ?? 0) + 1,
      wire,
      fence: driven.fence,
      deadline,
    })),
  );
}

async function schedule(book: Book, begun: Begun[], changes: Change[], deadline: Date): Promise<void> {
  const watchFrom = new Date(deadline.getTime() + WATCH_GRACE_MS);
  await book.scheduleDue(begun.map(attempt => watchAt(attempt, watchFrom)));
  const ended = changes.filter(({ next }) => next.endedAt !== null);
  await book.dropDue(ended.map(({ locked }) => watchKey(locked)));
}
