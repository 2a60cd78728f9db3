import { describe, expect, it } from 'vitest';
import { createLogger, maskPhone } from './log.ts';

describe('createLogger', () => {
  it('writes JSON lines and hides what must not be in one', () => {
    const lines: string[] = [];
    const log = createLogger('info', { write: (line: string) => void lines.push(line) });
    log.info({
      event: 'a.b',
      password: 'hunter2',
      config: { masterKey: 'a:hunter2' },
      login: { inner: { token: 'hunter2' } },
    });
    log.debug('not at this level');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', event: 'a.b', password: '[hidden]' });
    expect(lines.join()).not.toContain('hunter2');
  });

  it('writes of an error what it is, and no rows or stanzas that it carries', () => {
    const lines: string[] = [];
    const log = createLogger('info', { write: (line: string) => void lines.push(line) });
    const error = Object.assign(new Error('duplicate key', { cause: new Error('the cause') }), {
      code: '23505',
      constraint: 'channels_phone',
      detail: 'Key (phone)=(+491701234567) already exists.',
      data: { attrs: { jid: '491701234567@s.whatsapp.net' } },
    });
    log.warn({ event: 'a.b', err: error });
    const { err } = JSON.parse(lines[0] ?? '') as { err: Record<string, unknown> };
    expect(err).toMatchObject({ type: 'Error', code: '23505', constraint: 'channels_phone' });
    expect(err.message).toContain('the cause');
    expect(lines.join()).not.toContain('491701234567');
  });

  it('keeps one fact on one line', () => {
    const lines: string[] = [];
    createLogger('info', { write: (line: string) => void lines.push(line) }).info(
      'first\nsecond\r\n{"level":"fake"}',
    );
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('maskPhone', () => {
  it.each([
    ['+491701234567', '+49 170 •••• 567'],
    ['+12025550123', '+1 202 •••• 123'],
    ['+2905123', '+290 •••• 23'],
    ['not a number', 'no••••'],
  ])('%s → %s', (phone, masked) => {
    expect(maskPhone(phone)).toBe(masked);
  });
});
