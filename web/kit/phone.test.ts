import { describe, expect, it } from 'vitest';
import { phoneWords, readPhone } from './phone.ts';

describe('phone numbers', () => {
  it('groups them as people read them', () => {
    expect(phoneWords('+4915112345678')).toBe('+49 1511 2345678');
    expect(phoneWords('•••• 678')).toBe('•••• 678');
  });

  it.each(['+49 1511 2345678', '+49 (1511) 234-5678', '0049 1511 2345678', ' +4915112345678 '])(
    'reads %s',
    text => {
      expect(readPhone(text)).toEqual({ ok: true, phone: '+4915112345678' });
    },
  );

  it.each(['', '0151 12345678', '+49', '+999 123', 'call me', '+49 1511 23456789012345'])(
    'refuses %j with a remedy',
    text => {
      expect(readPhone(text)).toMatchObject({ ok: false, remedy: expect.stringMatching(/\w/) });
    },
  );
});
