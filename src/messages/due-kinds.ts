import type { DueItem, DueKey } from '../kernel/index.ts';

/** Due at the instant of a delivery; its lane is the channel. Only who drives the channel claims it. */
export const DELIVERY = 'delivery';

/**
 * The watch over a delivery that is not settled: while it is queued, due when its catch-up window ends (then it is
 * missed); while it is on the wire, due when the answer is overdue or it may not be sent again any more (then it is
 * unknown); while it is unknown, due when the workspace's policy decides about it.
 */
export const WATCH = 'delivery_watch';

/** Longer than the deadline, so that an adapter that answers at the last moment is still heard. */
export const WATCH_GRACE_MS = 5_000;

/** How old a message may be at most when it is sent again under its own id. */
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
