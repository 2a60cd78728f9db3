import { describe, expect, it } from 'vitest';
import { explain, lookOfChannel, needsYou } from './words.ts';

const CONNECTED = {
  status: 'connected',
  status_reason: null,
  phone: '+15550000001',
  restriction: null,
} as const;
const RESTRICTION = {
  reason: 'account_restricted',
  since: '2026-11-24T12:00:00Z',
  until: '2026-11-24T14:20:00Z',
};

describe('how a channel is shown', () => {
  it('is calm while it is connected', () => {
    expect([lookOfChannel(CONNECTED).word, needsYou(CONNECTED)]).toEqual(['Connected', false]);
  });

  it('shows a restriction although the connection stands', () => {
    const restricted = { ...CONNECTED, restriction: RESTRICTION };
    expect([lookOfChannel(restricted).word, needsYou(restricted)]).toEqual(['Restricted', true]);
    expect(explain(restricted).words).toMatch(/restricted this number/);
  });

  it.each(['not_answering', 'not_reading'])('has words for a connection that is deaf: %s', status_reason => {
    const deaf = { ...CONNECTED, status: 'degraded', status_reason } as const;
    expect(lookOfChannel(deaf).word).toBe('Unsteady');
    expect(explain(deaf).words).not.toBe(explain({ ...deaf, status_reason: null }).words);
  });

  it('says first why there is no connection, where there is none', () => {
    const away = {
      ...CONNECTED,
      status: 'connecting',
      status_reason: 'no_room',
      restriction: RESTRICTION,
    } as const;
    expect(explain(away).words).toMatch(/room/);
  });
});
