import type { DueItem, DueKey } from '../kernel/index.ts';

/** Due at the instant of a delivery; its lane is the channel. Only who drives the channel claims it. */
export const DELIVERY = 'delivery';

/**
 * The watch over a delivery that is not settled: while it is queued, due when its catch-up window ends
 * (then it is missed); while it is on the wire, due when the answer is overdue (then it is unknown).
 */
export const WATCH = 'delivery_watch';

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
