import { describe, expect, it } from 'vitest';
import type { Reminder } from '../../../src/reminders/schema.ts';
import {
  bodyOf,
  changesOf,
  type Draft,
  draftOf,
  lackOf,
  newDraft,
  scheduleOf,
  settled,
  targetsOn,
} from './draft.ts';

const now = Date.parse('2026-11-24T07:20:30Z');
const zone = 'Europe/Berlin';
const place = { channelId: 'c1', textLimit: 20, now };

function draft(over: Partial<Draft> = {}): Draft {
  return { ...newDraft('d1', now, zone), channelId: 'c1', body: 'Hello', ...over };
}

const group = (id: string, channel: string) => ({
  kind: 'group' as const,
  group_id: id,
  channel_id: channel,
  name: id,
});

describe('a draft', () => {
  it('begins at the next full hour', () => {
    expect(scheduleOf(draft())).toEqual({ start_local: '2026-11-24T09:00', time_zone: zone, rrule: null });
  });

  it('settles "in one minute" once, when it is first saved', () => {
    const soon = draft({ mode: 'soon' });
    expect(scheduleOf(soon)).toBeUndefined();
    const first = settled(soon, now);
    expect(scheduleOf(first)?.start_local).toBe('2026-11-24T08:21:30');
    expect(settled(first, now + 45_000)).toBe(first);
  });

  it('keeps groups of another channel for the way back, but does not send to them', () => {
    const chosen = draft({
      targets: [group('a', 'c1'), group('b', 'c2'), { kind: 'phone', phone: '+4915112345678' }],
    });
    expect(targetsOn(chosen, 'c2')).toHaveLength(2);
    expect(bodyOf(chosen, 'c1').targets).toEqual([{ group_id: 'a' }, { phone: '+4915112345678' }]);
  });
});

describe('what a step lacks', () => {
  it.each([
    ['channel', {}, { channelId: null }, /channel/],
    ['message', { body: '  \n' }, {}, /Write/],
    ['message', { body: 'x'.repeat(23) }, {}, /3 characters too long/],
    ['when', { date: '2026-11-24', time: '08:20' }, {}, /passed/],
    ['when', { time: '' }, {}, /time/],
    [
      'when',
      { repeat: { kind: 'preset', preset: 'daily' }, end: { kind: 'on', date: '2026-11-01' } },
      {},
      /before/,
    ],
    ['who', { targets: [group('b', 'c2')] }, {}, /at least one/],
  ] as const)('%s %j', (step, over, where, words) => {
    expect(lackOf(draft(over as Partial<Draft>), step, { ...place, ...where })).toMatch(words);
  });

  it('is nothing when it is complete, counting characters as a reader does', () => {
    expect(lackOf(draft({ body: '👍'.repeat(20) }), 'message', place)).toBeUndefined();
    expect(lackOf(draft({ time: '08:21' }), 'when', place)).toBeUndefined();
    expect(lackOf(draft({ mode: 'soon', time: '' }), 'when', place)).toBeUndefined();
  });

  it('lets a repeated one begin in the past', () => {
    const past = draft({ date: '2026-01-06', repeat: { kind: 'preset', preset: 'weekly' } });
    expect(lackOf(past, 'when', place)).toBeUndefined();
  });
});

describe('an edit', () => {
  const reminder = {
    id: 'r1',
    channel_id: 'c1',
    content: { type: 'text', text: { body: 'Hello' } },
    schedule: { start_local: '2026-11-24T08:00:00', time_zone: zone, rrule: 'FREQ=WEEKLY;BYDAY=TU' },
    targets: [{ group_id: 'a', phone: null, name: 'A', archived: false }],
  } as Reminder;

  it('of nothing changes nothing', () => {
    expect(changesOf(draftOf(reminder, now), reminder)).toEqual({});
  });

  it('sends only what differs', () => {
    const begun = draftOf(reminder, now);
    expect(changesOf({ ...begun, body: 'Bye' }, reminder)).toEqual({
      content: { type: 'text', text: { body: 'Bye' } },
    });
    expect(Object.keys(changesOf({ ...begun, time: '09:00' }, reminder))).toEqual(['schedule']);
    expect(changesOf({ ...begun, targets: [...begun.targets, group('b', 'c1')] }, reminder)).toEqual({
      targets: [{ group_id: 'a' }, { group_id: 'b' }],
    });
  });
});
