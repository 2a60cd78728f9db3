import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance, applyReceipts, type Journey, settle, UNKNOWN } from './journey.ts';
import { mayBecome } from './policy.ts';
import { DeliveryStatus } from './schema.ts';

const T = (seconds: number) => new Date(Date.UTC(2026, 0, 5, 9, 0, seconds));

function journey(given: Partial<Journey> = {}): Journey {
  return {
    status: 'in_flight',
    reason: null,
    detail: null,
    dueAt: T(0),
    catchUpUntil: T(900),
    recipients: 1,
    deliveredCount: 0,
    readCount: 0,
    inFlightAt: T(1),
    acceptedAt: null,
    sentAt: null,
    deliveredAt: null,
    readAt: null,
    endedAt: null,
    resendUntil: null,
    doubtAt: null,
    onUnknown: null,
    ...given,
  };
}

/** Each row: from, then all that it may become. */
const transitions: Record<DeliveryStatus, DeliveryStatus[]> = {
  queued: ['in_flight', 'accepted', 'sent', 'delivered', 'read', 'failed', 'cancelled', 'missed'],
  in_flight: ['queued', 'accepted', 'sent', 'delivered', 'read', 'failed', 'unknown'],
  accepted: ['sent', 'delivered', 'read', 'failed'],
  sent: ['delivered', 'read'],
  delivered: ['read'],
  read: [],
  unknown: ['queued', 'accepted', 'sent', 'delivered', 'read', 'failed'],
  failed: [],
  cancelled: [],
  missed: [],
};

describe('delivery status', () => {
  it.each(DeliveryStatus.options)('%s leads only forward', from => {
    expect(DeliveryStatus.options.filter(to => mayBecome(from, to)).sort()).toEqual(transitions[from].sort());
  });
});

describe('settling an attempt', () => {
  it('takes a positive answer for what the adapter says it means', () => {
    const accepted = { outcome: 'accepted', at: T(2), providerId: 'A' } as const;
    expect(settle(journey(), accepted, 'sent', T(3))).toMatchObject({ status: 'sent', sentAt: T(2) });
    expect(settle(journey(), accepted, 'accepted', T(3))).toMatchObject({
      status: 'accepted',
      acceptedAt: T(2),
      sentAt: null,
    });
  });

  it('learns the number of recipients from the answer', () => {
    const accepted = { outcome: 'accepted', at: T(2), providerId: 'A', recipients: 7 } as const;
    expect(settle(journey({ recipients: 9 }), accepted, 'sent', T(3)).recipients).toBe(7);
  });

  it('fails with the reason and the words of the adapter', () => {
    const refused = { outcome: 'refused', code: 'not_on_whatsapp', detail: 'No such number.' } as const;
    expect(settle(journey(), refused, 'sent', T(3))).toMatchObject({
      status: 'failed',
      reason: 'not_on_whatsapp',
      detail: 'No such number.',
      endedAt: T(3),
    });
  });

  it('stays in the outbox, where somebody has put it back, when an answer from before refuses it', () => {
    const refused = { outcome: 'refused', code: 'not_on_whatsapp', detail: 'No such number.' } as const;
    const waiting = journey({ status: 'queued' });
    expect(settle(waiting, refused, 'sent', T(3))).toBe(waiting);
  });

  it('goes back to the outbox when deferred, with a catch-up window that moves along', () => {
    const deferred = { outcome: 'deferred', code: 'rate_limited', until: T(600) } as const;
    expect(settle(journey(), deferred, 'sent', T(3))).toMatchObject({
      status: 'queued',
      dueAt: T(600),
      catchUpUntil: T(1_500),
    });
  });

  it('is deferred with pauses that grow, and fails after a day: never an endless number of attempts', () => {
    let state = journey();
    let attempts = 0;
    while (state.status === 'in_flight' && attempts < 1_000) {
      attempts += 1;
      const now = state.dueAt > T(1) ? state.dueAt : T(1);
      const until = new Date(now.getTime() + 2_000);
      state = settle(state, { outcome: 'deferred', code: 'not_sent', until }, 'sent', now);
      if (state.status === 'queued') state = advance(state, 'in_flight', state.dueAt);
    }
    expect(state).toMatchObject({ status: 'failed', reason: 'not_sent' });
    expect(state.endedAt?.getTime()).toBeGreaterThanOrEqual(T(86_400).getTime());
    expect(attempts).toBeLessThan(300);
  });

  it('is unknown without an answer, and cleared up by a late one', () => {
    const unknown = settle(journey(), { outcome: 'unknown', cause: 'timeout' }, 'sent', T(61));
    expect(unknown).toMatchObject({ status: 'unknown', reason: UNKNOWN.reason, endedAt: T(61) });
    const late = settle(unknown, { outcome: 'accepted', at: T(70), providerId: 'A' }, 'sent', T(70));
    expect(late).toMatchObject({ status: 'sent', reason: null, detail: null, endedAt: null });
  });

  it('leaves its time and not its status when a receipt was faster', () => {
    const delivered = applyReceipts(journey({ recipients: 2 }), { delivered: 2, read: 0, at: T(2) });
    expect(delivered).toMatchObject({ status: 'delivered', sentAt: T(2) });
    expect(settle(delivered, { outcome: 'unknown', cause: 'timeout' }, 'sent', T(9)).status).toBe(
      'delivered',
    );
  });
});

describe('receipts', () => {
  it('reach delivered and read only when all of the group have', () => {
    const three = journey({ status: 'sent', recipients: 3 });
    const some = applyReceipts(three, { delivered: 2, read: 1, at: T(5) });
    expect(some).toMatchObject({ status: 'sent', deliveredCount: 2, readCount: 1, deliveredAt: null });
    const all = applyReceipts(some, { delivered: 1, read: 0, at: T(6) });
    expect(all).toMatchObject({ status: 'delivered', deliveredAt: T(6) });
    expect(applyReceipts(all, { delivered: 0, read: 2, at: T(7) })).toMatchObject({ status: 'read' });
  });

  it('count again when the answer tells of fewer recipients than there seemed to be', () => {
    const early = applyReceipts(journey({ recipients: 3 }), { delivered: 2, read: 0, at: T(2) });
    expect(early.status).toBe('sent');
    const answer = { outcome: 'accepted', at: T(3), providerId: 'A', recipients: 2 } as const;
    expect(settle(early, answer, 'sent', T(3)).status).toBe('delivered');
  });

  it('never count a failed message as arrived', () => {
    const failed = advance(journey(), 'failed', T(3), { reason: 'x', detail: 'y' });
    expect(applyReceipts(failed, { delivered: 1, read: 0, at: T(4) })).toMatchObject({ status: 'failed' });
  });

  it('lead to the same end in any order, also when the answer comes between or late', () => {
    type Event = (journey: Journey) => Journey;
    const events: Event[] = [
      ...[1, 2, 3].map(
        (at): Event =>
          j =>
            applyReceipts(j, { delivered: 1, read: 0, at: T(at) }),
      ),
      ...[4, 5, 6].map(
        (at): Event =>
          j =>
            applyReceipts(j, { delivered: 0, read: 1, at: T(at) }),
      ),
      j => settle(j, { outcome: 'accepted', at: T(2), providerId: 'A' }, 'sent', T(2)),
      j => settle(j, { outcome: 'unknown', cause: 'timeout' }, 'sent', T(60)),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), order => {
        let now = journey({ recipients: 3 });
        for (const event of order) {
          const next = event(now);
          expect(next.status === now.status || mayBecome(now.status, next.status)).toBe(true);
          for (const step of ['sentAt', 'deliveredAt', 'readAt'] as const) {
            if (now[step]) expect(next[step]).toEqual(now[step]);
          }
          now = next;
        }
        expect(now).toMatchObject({
          status: 'read',
          deliveredCount: 3,
          readCount: 3,
          reason: null,
          endedAt: null,
        });
      }),
    );
  });
});
