import { describe, expect, it } from 'vitest';
import { backoffMs, type Ending, outcomeOfNack, readEnding, verdictOn } from './errors.ts';

const server = (code: number, conflict?: string): Ending => ({ code, source: 'server', conflict });

describe('what follows the end of a socket', () => {
  it.each([
    [515, { action: 'reconnect' }],
    [401, { action: 'end', reason: 'logged_out' }],
    [403, { action: 'end', reason: 'forbidden' }],
    [405, { action: 'end', reason: 'client_outdated' }],
    [440, { action: 'end', reason: 'replaced' }],
    [408, { action: 'backoff', reason: 'connection_lost' }],
    [428, { action: 'backoff', reason: 'connection_closed' }],
    [500, { action: 'backoff', reason: 'server_error' }],
    [503, { action: 'backoff', reason: 'server_busy' }],
    [599, { action: 'backoff', reason: 'unexpected_end' }],
  ])('code %i', (code, verdict) => {
    expect(verdictOn(server(code), false)).toMatchObject(verdict);
  });

  it('tells our own logout from the owner’s, which has the same code', () => {
    expect(verdictOn(server(401, 'device_removed'), true)).toEqual({ action: 'stop' });
    expect(verdictOn(server(401, 'device_removed'), false)).toMatchObject({ reason: 'logged_out' });
  });

  it('reads a removed device from the conflict when the code is missing and 440 stands in', () => {
    const data = { tag: 'conflict', attrs: { type: 'device_removed' } };
    const ending = readEnding({ output: { statusCode: 440 }, data });
    expect(verdictOn(ending, false)).toEqual({ action: 'end', reason: 'logged_out' });
    const replaced = readEnding({
      output: { statusCode: 440 },
      data: { tag: 'conflict', attrs: { type: 'replaced' } },
    });
    expect(verdictOn(replaced, false)).toEqual({ action: 'end', reason: 'replaced' });
  });

  it('does not take the HTTP status of a proxy for a word about the account', () => {
    const proxy = readEnding({
      output: { statusCode: 403 },
      data: new Error('Unexpected server response: 403'),
    });
    expect(verdictOn(proxy, false)).toMatchObject({ action: 'backoff', reason: 'unreachable' });
  });

  it('comes back after an error without a code, and not after an end of our own', () => {
    expect(verdictOn(readEnding(new Error('handshake')), false)).toMatchObject({ action: 'backoff' });
    expect(verdictOn(readEnding(undefined), false)).toEqual({ action: 'stop' });
  });
});

describe('the wait before the next connection', () => {
  const pace = { firstMs: 1_000, maxMs: 60_000 };

  it('doubles up to its limit and keeps at least half of it', () => {
    expect([1, 2, 3, 7, 40].map(failures => backoffMs(pace, failures, 1))).toEqual([
      1_000, 2_000, 4_000, 60_000, 60_000,
    ]);
    expect(backoffMs(pace, 3, 0)).toBe(2_000);
  });
});

describe('an ack with an error', () => {
  const now = new Date('2026-01-01T00:00:00Z');

  it.each([
    ['463', 'account_restricted'],
    ['404', 'chat_not_found'],
    ['403', 'not_in_group'],
    ['999', 'refused'],
  ])('%s is refused with a plain sentence', (error, code) => {
    const outcome = outcomeOfNack(error, now);
    expect(outcome).toMatchObject({ outcome: 'refused', code });
    expect(outcome.outcome === 'refused' && outcome.detail).toMatch(/^[A-Z].*\.$/);
  });

  it.each([
    ['429', 'rate_limited', 60_000],
    ['479', 'devices_changed', 5_000],
  ])('%s is tried later', (error, code, waitMs) => {
    const until = new Date(now.getTime() + waitMs);
    expect(outcomeOfNack(error, now)).toEqual({ outcome: 'deferred', code, until });
  });
});
