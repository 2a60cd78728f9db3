import { describe, expect, it } from 'vitest';
import { attemptsOf, deliveryOf } from './journey.fixture.ts';
import { timelineOf } from './journey.ts';
import type { Attempt, Delivery } from './timeline-step.ts';
import { lookOfDelivery } from './words.ts';

const at = '2026-11-24T12:00:30Z';
const until = '2026-11-24T12:10:00Z';
const now = Date.parse('2026-11-24T12:02:00Z');
const LOST = { status: 'unknown', code: 'connection_lost' } as const;
const IN_DOUBT = { status: 'in_flight', doubt_at: at, resend_until: until } as const;

function steps(over: Partial<Delivery>, ...attempts: Partial<Attempt>[]) {
  const journey = { created_at: at, delivery: deliveryOf(over), attempts: attemptsOf(...attempts) };
  return timelineOf(journey, now).filter(({ key }) => key !== 'delivered' && key !== 'read');
}
const brief = (all: ReturnType<typeof steps>) => all.map(({ state, title }) => `${state}: ${title}`);

describe('a message whose answer got lost', () => {
  it('says what happened, what comes next and until when', () => {
    const shown = steps(IN_DOUBT, LOST);
    expect(brief(shown)).toEqual([
      'done: Taken by Convoke',
      'doubt: The connection broke before WhatsApp answered',
      'ahead: Sent to WhatsApp',
    ]);
    expect(shown[1]).toMatchObject({ at, givesUpAt: until, words: expect.stringMatching(/same id/) });
    expect(lookOfDelivery(deliveryOf(IN_DOUBT)).word).toBe('In doubt');
  });

  it('is sent again: the doubt is over, the new try is under way', () => {
    const shown = steps(IN_DOUBT, LOST, { status: 'in_flight', settled_at: null });
    expect(brief(shown).slice(1)).toEqual([
      'over: The connection broke before WhatsApp answered',
      'now: Sent to WhatsApp',
    ]);
    expect(shown[1]?.givesUpAt).toBeUndefined();
    expect(shown[2]?.words).toMatch(/^Sent again under the same id/);
  });

  it('stays in doubt when the second try is put off', () => {
    const put = steps(IN_DOUBT, LOST, { status: 'deferred', code: 'rate_limited' });
    expect(brief(put).slice(1)).toEqual([
      'over: The connection broke before WhatsApp answered',
      'put_off: WhatsApp asked to wait',
      'ahead: Sent to WhatsApp',
    ]);
  });

  it('was taken with the second try, under the same id', () => {
    const shown = steps({ status: 'sent', sent_at: at, doubt_at: at }, LOST, {});
    expect(brief(shown).slice(1)).toEqual([
      'over: The connection broke before WhatsApp answered',
      'done: Sent to WhatsApp',
    ]);
    expect(shown[2]?.words).toMatch(/^Sent again under the same id.*as far as is known/);
  });

  it('does not claim the same id where the provider gave another one', () => {
    const shown = steps({ status: 'sent', sent_at: at }, LOST, { provider_id: 'other' });
    expect(shown[2]?.words).toBeUndefined();
  });

  it('was taken after all, as a sign of it showed', () => {
    const shown = steps({ status: 'delivered', sent_at: at, doubt_at: at }, {});
    expect(brief(shown).slice(1)).toEqual(['done: Sent to WhatsApp']);
    expect(shown[1]?.words).toMatch(/not sent again/);
  });
});

describe('a message that nobody had an answer for', () => {
  it('waits for a decision', () => {
    const shown = steps({ status: 'unknown', ended_at: at, doubt_at: at, resend_until: until }, LOST);
    expect(brief(shown).slice(1)).toEqual([
      'over: The connection broke before WhatsApp answered',
      'doubt: Unclear whether it arrived',
    ]);
  });

  it('keeps what WhatsApp said to the second try', () => {
    const refused = { status: 'refused', code: 'not_in_group', detail: 'Look on the phone.' } as const;
    const shown = steps({ status: 'unknown', ended_at: at, doubt_at: at }, LOST, refused);
    expect(shown[2]).toMatchObject({ title: 'WhatsApp refused this try', words: 'Look on the phone.' });
  });

  it('does not claim that WhatsApp took it when a person said that it arrived', () => {
    const shown = steps({ status: 'sent', sent_at: at }, LOST);
    expect(brief(shown).slice(2)).toEqual(['done: Marked as arrived']);
  });

  it('waits in the outbox once it was decided to send it again', () => {
    expect(steps({ status: 'queued' }, LOST).at(-1)).toMatchObject({
      state: 'ahead',
      words: expect.stringMatching(/goes out again/),
    });
  });
});

describe('a message that was put off', () => {
  const BUSY = { status: 'deferred', code: 'server_busy' } as const;

  it('counts what was put off in a row as one step, at the last time', () => {
    const shown = steps({ status: 'queued' }, BUSY, BUSY, BUSY);
    expect(brief(shown).slice(1)).toEqual([
      'put_off: WhatsApp was busy (3 times)',
      'ahead: Sent to WhatsApp',
    ]);
    expect(shown[1]?.at).toBe('2026-11-24T12:02:30Z');
  });

  it('tells the end of a refused one once', () => {
    const shown = steps({ status: 'failed', ended_at: at, detail: 'No.' }, BUSY, {
      status: 'refused',
      detail: 'No.',
    });
    expect(brief(shown).slice(1)).toEqual(['put_off: WhatsApp was busy', 'trouble: Not sent']);
  });

  it('has words for codes that this version does not know', () => {
    expect(steps({ status: 'queued' }, { status: 'deferred', code: 'moonlight' })[1]).toMatchObject({
      title: 'Put off',
      words: expect.stringMatching(/tries again/),
    });
  });
});
