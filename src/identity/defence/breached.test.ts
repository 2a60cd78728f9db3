import { describe, expect, it } from 'vitest';
import { refuseGuessable } from './breached.ts';

const ANNA = { username: 'anna.schmidt', email: 'schmidt.anna@example.org', name: 'Anna Schmidt-Weber' };

describe('a new password', () => {
  it.each([
    'qwertyuiop',
    'QwertyUIOP',
    '1q2w3e4r5t',
    'q1w2e3r4t5y6',
    '123456654321',
    'basketball2024',
    'Password123!',
    'ｂａｓｋｅｔｂａｌｌ',
    'Anna.Schmidt',
    'schmidt.anna@example.org',
    'schmidt.anna',
    'anna schmidt-weber',
  ])('%j is refused', async password => {
    await expect(refuseGuessable(password, ANNA)).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'password' }],
    });
  });

  it.each(['correct horse battery', 'annas schmidt und weber', 'größer als gedacht'])(
    '%j is taken',
    async password => {
      await expect(refuseGuessable(password, ANNA)).resolves.toBeUndefined();
    },
  );

  it('is named by the field that the caller filled in', async () => {
    await expect(refuseGuessable('qwertyuiop', {}, 'new_password')).rejects.toMatchObject({
      fields: [{ path: 'new_password' }],
    });
  });
});
