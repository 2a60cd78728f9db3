import { describe, expect, it } from 'vitest';
import {
  haltAfter,
  isOver,
  lookOf,
  mayPair,
  type PairingStepName,
  pairingDetail,
  reasonOfHalt,
  stepsBefore,
} from './policy.ts';

const steps: PairingStepName[] = [
  'starting',
  'show_qr',
  'show_code',
  'connecting',
  'done',
  'failed',
  'cancelled',
];

describe('the steps of a pairing', () => {
  it('lead only forward, and nothing follows an end', () => {
    const table = Object.fromEntries(steps.map(to => [to, stepsBefore(to)]));
    const begun = ['starting', 'show_qr', 'show_code', 'connecting'];
    expect(table).toEqual({
      starting: [],
      show_qr: ['starting', 'show_qr'],
      show_code: ['starting', 'show_code'],
      connecting: ['starting', 'show_qr', 'show_code'],
      done: begun,
      failed: begun,
      cancelled: begun,
    });
    expect(steps.filter(isOver)).toEqual(['done', 'failed', 'cancelled']);
  });

  it('begin where no number is linked, or where the link does not work any more', () => {
    expect(mayPair('unpaired', 'unpaired')).toBe(true);
    expect(mayPair('pairing', 'pairing')).toBe(true);
    expect(mayPair('connected', 'failed')).toBe(true);
    expect(mayPair('connected', 'connected')).toBe(false);
    expect(mayPair('connected', 'connecting')).toBe(false);
    expect(mayPair('deleted', 'unpaired')).toBe(false);
  });

  it('end with a sentence that says what to do, also for a reason that nobody knows', () => {
    expect(pairingDetail('number_already_linked', 'Choir')).toContain('"Choir"');
    for (const reason of ['timed_out', 'refused', 'client_outdated', 'interrupted', 'not_stored', 'new']) {
      expect(pairingDetail(reason)).toMatch(/^[A-Z].*\.$/);
    }
    expect(reasonOfHalt('timed_out')).toBe('pairing_timed_out');
    expect(reasonOfHalt('number_already_linked')).toBe('number_already_linked');
  });
});

describe('what is shown of a connection', () => {
  it('is connected only when it can send', () => {
    const account = { phone: '+15550000001', account: '9@lid', profileName: undefined };
    const retryAt = new Date(0);
    const looks = [
      lookOf({ status: 'connected', ...account }),
      lookOf({ status: 'connecting' }),
      lookOf({ status: 'waiting', reason: 'unreachable', retryAt }),
      lookOf({ status: 'degraded', reason: 'unreachable' }),
      lookOf({ status: 'restricted', reason: 'account_restricted', until: undefined }),
    ];
    expect(looks.map(({ status }) => status)).toEqual([
      'connected',
      'connecting',
      'connecting',
      'degraded',
      'restricted',
    ]);
    expect(looks[2]).toEqual({ status: 'connecting', reason: 'unreachable', until: retryAt });
  });

  it('erases a link only when the owner took it away', () => {
    expect(haltAfter('logged_out')).toMatchObject({ status: 'unpaired', unpairs: true });
    for (const reason of ['forbidden', 'client_outdated', 'replaced', 'credentials_broken'] as const) {
      expect(haltAfter(reason)).toMatchObject({ status: 'failed', unpairs: false });
    }
    expect(haltAfter('forbidden').retryAfterMs).toBeUndefined();
    expect(haltAfter('replaced').retryAfterMs).toBeGreaterThan(60_000);
  });
});
