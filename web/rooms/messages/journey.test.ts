import { describe, expect, it } from 'vitest';
import { deliveryOf } from './journey.fixture.ts';
import { timelineOf } from './journey.ts';
import type { Delivery } from './timeline-step.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const at = '2026-11-24T11:59:00Z';

function journey(over: Partial<Delivery>) {
  return timelineOf({ created_at: at, delivery: deliveryOf(over) }, now);
}

const brief = (over: Partial<Delivery>) => journey(over).map(step => `${step.state}: ${step.title}`);

describe('the journey of a message', () => {
  it('begins with what Convoke took', () => {
    expect(brief({})).toEqual([
      'done: Taken by Convoke',
      'ahead: Sent to WhatsApp',
      "ahead: On the recipients' phones",
      'ahead: Read',
    ]);
  });

  it('counts in groups', () => {
    expect(brief({ status: 'sent', sent_at: at, delivered_count: 3, read_count: 1 })).toEqual([
      'done: Taken by Convoke',
      'done: Sent to WhatsApp',
      "now: On the recipients' phones (3 of 5)",
      'now: Read (1 of 5)',
    ]);
  });

  it('does not count one person', () => {
    const steps = brief({
      status: 'read',
      sent_at: at,
      delivered_at: at,
      read_at: at,
      recipients: 1,
      delivered_count: 1,
    });
    expect(steps.slice(2)).toEqual(["done: On the recipient's phone", 'done: Read']);
  });

  it('says so while WhatsApp has not answered, and while a channel is waited for', () => {
    expect(journey({ status: 'in_flight', in_flight_at: at })[1]).toMatchObject({ state: 'now' });
    expect(journey({ due_at: '2026-11-24T11:58:00Z' })[1]?.words).toMatch(/waits/);
    expect(journey({})[1]?.words).toBeUndefined();
  });

  it.each(['parked', 'restriction', 'channel', 'new_people', 'pacing'] as const)(
    'says why it waits, and until when: %s',
    waiting_for => {
      const waiting_until = '2026-11-24T14:20:00Z';
      const step = journey({ due_at: at, waiting_for, waiting_until })[1];
      expect(step).toMatchObject({ state: 'ahead', goesOnAt: waiting_until });
      expect(step?.words).toMatch(/wait/);
      expect(journey({ due_at: at, waiting_for })[1]?.goesOnAt).toBeUndefined();
    },
  );

  it.each(['failed', 'unknown', 'missed', 'cancelled'] as const)(
    'ends with words and a remedy when it is %s',
    status => {
      const steps = journey({ status, ended_at: at });
      expect(steps.map(step => step.key)).toEqual(['taken', 'ended']);
      expect(steps[1]?.words).toMatch(/\w+ \w+/);
      const states = { failed: 'trouble', missed: 'trouble', unknown: 'doubt', cancelled: 'stopped' };
      expect(steps[1]?.state).toBe(states[status]);
    },
  );

  it('prefers the words of the server', () => {
    const detail = 'This number is not on WhatsApp. Check it.';
    expect(journey({ status: 'failed', reason: 'not_on_whatsapp', detail })[1]?.words).toBe(detail);
  });

  it('does not say that it was not sent when it was given up, because it may have arrived', () => {
    const given = journey({ status: 'failed', reason: 'given_up', detail: 'Nobody knew.', ended_at: at });
    expect(given.at(-1)).toMatchObject({ title: 'Given up', state: 'stopped' });
  });

  it('keeps what had happened before a late failure', () => {
    expect(brief({ status: 'failed', sent_at: at, ended_at: at })).toEqual([
      'done: Taken by Convoke',
      'done: Sent to WhatsApp',
      'trouble: Not sent',
    ]);
  });
});
