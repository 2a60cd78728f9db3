import { describe, expect, it } from 'vitest';
import type { Parking, Parkings } from './api.ts';
import { keptWords, parkedBy, parkingOf, wider } from './words.ts';

function parking(over: Partial<Parking>): Parking {
  return {
    of: 'channel',
    channel_id: 'c1',
    reason: 'moving house',
    since: '2026-11-24T12:00:00Z',
    parked_by: 'me',
    waiting: 0,
    overdue: 0,
    ...over,
  };
}

const CHANNEL = { channelId: 'c1', label: 'School office' };

describe('what is parked', () => {
  const all: Parkings = {
    data: [
      parking({ of: 'instance', channel_id: null, parked_by: null }),
      parking({ of: 'workspace', channel_id: null }),
      parking({}),
      parking({ channel_id: 'c2' }),
    ],
    waiting: 0,
    overdue: 0,
  };

  it('is told apart from what is parked around it', () => {
    expect(parkingOf(all, CHANNEL)).toBe(all.data[2]);
    expect(parkingOf(all, 'workspace')).toBe(all.data[1]);
    expect(wider(all, CHANNEL).map(({ of }) => of)).toEqual(['instance', 'workspace']);
    expect(wider(all, 'workspace').map(({ of }) => of)).toEqual(['instance']);
    expect(parkingOf({ ...all, data: all.data.slice(1, 2) }, CHANNEL)).toBeUndefined();
  });

  it('names who did it, as far as may be known', () => {
    expect(all.data.slice(0, 3).map(one => parkedBy(one, 'me'))).toEqual([
      'By the operator',
      'By you',
      'By you',
    ]);
    expect(parkedBy(parking({}), 'another')).toBe('By somebody else here');
  });
});

it.each([
  [0, 0, 'Nothing is due yet.'],
  [1, 0, '1 message is kept back.'],
  [12, 3, '12 messages are kept back, 3 of them later than planned.'],
  [1, 1, '1 message is kept back, later than planned.'],
  [4, 4, '4 messages are kept back, all later than planned.'],
])('counts %i messages, %i of them late', (waiting, overdue, words) => {
  expect(keptWords({ waiting, overdue })).toBe(words);
});
