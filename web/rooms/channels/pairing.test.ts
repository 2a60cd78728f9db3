import { describe, expect, it } from 'vitest';
import type { Pairing } from '../../../src/channels/schema.ts';
import { codeHalves, failureWords, isWorthJoining, shown } from './pairing.ts';

const start = Date.parse('2026-11-24T12:00:00Z');

function pairing(over: Partial<Pairing>): Pairing {
  return {
    id: 'first',
    method: 'qr',
    step: 'show_qr',
    started_at: new Date(start).toISOString(),
    expires_at: new Date(start + 300_000).toISOString(),
    ...over,
  };
}

describe('which pairing a page shows', () => {
  it('never shows the time-out of an earlier visit', () => {
    const old = pairing({ step: 'failed', reason: 'timed_out' });
    expect(shown(old, undefined)).toBeUndefined();
    expect(shown(old, 'second')).toBeUndefined();
    expect(shown(old, 'first')).toBe(old);
  });

  it('follows a newer one that somebody else started, until it ends', () => {
    const other = pairing({ id: 'other' });
    expect(shown(other, 'first')).toBe(other);
    expect(shown({ ...other, step: 'done' }, 'first')).toBeUndefined();
  });

  it('joins what still has time, and starts anew what has not', () => {
    expect(isWorthJoining(pairing({}), start + 100_000)).toBe(true);
    expect(isWorthJoining(pairing({}), start + 250_000)).toBe(false);
    expect(isWorthJoining(pairing({ step: 'failed' }), start)).toBe(false);
    expect(isWorthJoining(null, start)).toBe(false);
  });
});

it('writes the code in the two halves of the phone', () => {
  expect(codeHalves('ABCD1234')).toEqual(['ABCD', '1234']);
  expect(codeHalves('ABCD-1234')).toEqual(['ABCD', '1234']);
});

it('prefers the remedy of the server and always has one', () => {
  const detail = 'The channel "Office" uses this number.';
  expect(failureWords(pairing({ step: 'failed', reason: 'number_already_linked', detail })).remedy).toBe(
    detail,
  );
  expect(failureWords(pairing({ step: 'failed', reason: 'new_reason' })).remedy).not.toBe('');
});
