import { type RawBuilder, sql } from 'kysely';
import type { DueItem, DueKey } from '../kernel/index.ts';

/** Due at the instant of a delivery; its lane is the channel (but see `newPeopleLane`). Only who drives the channel claims it. */
export const DELIVERY = 'delivery';

/**
 * The watch over a delivery that is not settled: while it is queued, due when its catch-up window ends (then it is
 * missed); while it is on the wire, due when the answer is overdue or it may not be sent again any more (then it is
 * unknown); while it is unknown, due when the workspace's policy decides about it.
 */
export const WATCH = 'delivery_watch';

/** Longer than the deadline, so that an adapter that answers at the last moment is still heard. */
export const WATCH_GRACE_MS = 5_000;

/**
 * How old a message may be at most when it is sent again under its own id. It counts as well while the channel is
 * parked, restricted or away: the older a message, the less it may be wanted, and the less sure it is that the other
 * side still knows its id.
 */
export const RESEND_MS = 10 * 60_000;

export function watchAt(
  of: { workspaceId: string; deliveryId: string; channelId: string },
  dueAt: Date,
): DueItem {
  return {
    workspaceId: of.workspaceId,
    kind: WATCH,
    subjectId: of.deliveryId,
    lane: of.channelId,
    dueAt,
    priority: 0,
  };
}

/**
 * A delivery to somebody new to a paced channel waits in a lane of its own, so that a day's limit holds back no
 * message to anybody else, however many wait. Its id is the channel's with another version in it.
 */
export function newPeopleLane(channelId: string): string {
  return channelId.slice(0, VERSION_AT) + NEW_PEOPLE + channelId.slice(VERSION_AT + 1);
}

/** The same in SQL, of a column. */
export function newPeopleLaneOf(column: string): RawBuilder<string> {
  return sql<string>`overlay(${sql.ref(column)}::text placing ${sql.lit(NEW_PEOPLE)} from ${sql.lit(VERSION_AT + 1)} for 1)::uuid`;
}

export function isNewPeopleLane(lane: string): boolean {
  return lane[VERSION_AT] === NEW_PEOPLE;
}

export function channelOfLane(lane: string): string {
  return isNewPeopleLane(lane) ? `${lane.slice(0, VERSION_AT)}7${lane.slice(VERSION_AT + 1)}` : lane;
}

/** Ids are uuids of version 7; version 8 is free for one's own purposes. */
const VERSION_AT = 14;
const NEW_PEOPLE = '8';

export function deliveryAt(
  of: { workspaceId: string; deliveryId: string; channelId: string },
  dueAt: Date,
): DueItem {
  return { ...watchAt(of, dueAt), kind: DELIVERY };
}

export function watchKey(of: { workspaceId: string; deliveryId: string }): DueKey {
  return { workspaceId: of.workspaceId, kind: WATCH, subjectId: of.deliveryId };
}

export function deliveryKey(of: { workspaceId: string; deliveryId: string }): DueKey {
  return { ...watchKey(of), kind: DELIVERY };
}
