import type { Attempt, Delivery } from './timeline-step.ts';

/** Queued for a minute after noon, to a group of five. */
export function deliveryOf(over: Partial<Delivery>): Delivery {
  return {
    id: 'd',
    status: 'queued',
    reason: null,
    detail: null,
    due_at: '2026-11-24T12:01:00Z',
    in_flight_at: null,
    accepted_at: null,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    ended_at: null,
    waiting_for: null,
    waiting_until: null,
    doubt_at: null,
    resend_until: null,
    recipients: 5,
    delivered_count: 0,
    read_count: 0,
    ...over,
  };
}

/** Numbered from one, all under one id as linked numbers do it. */
export function attemptsOf(...all: Partial<Attempt>[]): Attempt[] {
  return all.map((over, index) => ({
    id: `a${index + 1}`,
    number: index + 1,
    status: 'accepted',
    provider_id: '3EB0',
    code: null,
    detail: null,
    started_at: `2026-11-24T12:0${index}:00Z`,
    settled_at: `2026-11-24T12:0${index}:30Z`,
    ...over,
  }));
}
