import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaseTimesOf, nearest, readConfig, settings } from './config.ts';
import { StartError } from './errors.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

describe('readConfig', () => {
  it('has a default for every setting', () => {
    const config = readConfig({ PATH: '/bin' });
    expect(config).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      dataDir: resolve('data'),
      databasePool: 10,
      sandbox: false,
      pacing: true,
    });
    expect(Object.keys(config)).toEqual(Object.keys(settings));
  });

  it('reads what is given and takes an empty variable as not set', () => {
    const config = readConfig({
      CONVOKE_PORT: '0',
      CONVOKE_HOST: '',
      CONVOKE_MASTER_KEY: `new:${KEY},old:${KEY}`,
      CONVOKE_PUBLIC_URL: 'https://convoke.example.org/',
      DATABASE_URL: 'postgres://convoke:secret@db/convoke',
    });
    expect(config).toMatchObject({ port: 0, host: '127.0.0.1', publicUrl: 'https://convoke.example.org' });
    expect(config.masterKey).toBe(`new:${KEY},old:${KEY}`);
  });

  it('stops at an unknown name and says the nearest known one', () => {
    expect(() => readConfig({ CONVOKE_PROT: '1' })).toThrow(StartError);
    expect(() => readConfig({ CONVOKE_PROT: '1' })).toThrow('Did you mean CONVOKE_PORT?');
    expect(() => readConfig({ CONVOKE_DATABASE_URL: 'x' })).toThrow(/Did you mean/);
  });

  it.each([
    ['CONVOKE_PORT', 'eighty'],
    ['CONVOKE_PORT', '70000'],
    ['CONVOKE_PORT', '-1'],
    ['CONVOKE_DATABASE_POOL', '1'],
    ['CONVOKE_DATABASE_DEADLINE_MS', '10'],
    ['CONVOKE_LEASE_TTL_MS', '999'],
    ['CONVOKE_MAX_CHANNELS_PER_NODE', 'many'],
    ['CONVOKE_LOG_LEVEL', 'loud'],
    ['CONVOKE_SANDBOX', 'maybe'],
    ['CONVOKE_PUBLIC_URL', 'convoke.example.org'],
    ['CONVOKE_MASTER_KEY', 'a:short'],
    ['CONVOKE_MASTER_KEY', `a:${KEY},a:${KEY}`],
    ['DATABASE_URL', 'mysql://root@localhost/x'],
    ['CONVOKE_SMTP_URL', 'mail.example.org'],
    ['CONVOKE_SMTP_URL', 'https://mail.example.org'],
    ['CONVOKE_MAIL_FROM', 'Convoke'],
    ['CONVOKE_MAIL_FROM', 'Convoke <a@b> <c@d>'],
    ['CONVOKE_MAIL_FROM', 'a@example.org>'],
  ])('refuses %s=%s by name', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(StartError);
    expect(() => readConfig({ [name]: value })).toThrow(name);
  });

  it('takes a mail server only with a sender and the address that links lead to', () => {
    const mail = {
      CONVOKE_SMTP_URL: 'smtp://u:hunter2@mail.example.org',
      CONVOKE_MAIL_FROM: 'Convoke <a@example.org>',
      CONVOKE_PUBLIC_URL: 'https://convoke.example.org',
    };
    expect(readConfig(mail).mailFrom).toBe('Convoke <a@example.org>');
    expect(readConfig({ ...mail, CONVOKE_PUBLIC_URL: '', CONVOKE_SANDBOX: '1' }).smtpUrl).toBeDefined();
    for (const missing of ['CONVOKE_MAIL_FROM', 'CONVOKE_PUBLIC_URL'])
      expect(() => readConfig({ ...mail, [missing]: '' })).toThrow(`CONVOKE_SMTP_URL needs ${missing}`);
  });

  it('never repeats a secret in its complaint', () => {
    expect(() => readConfig({ DATABASE_URL: 'pg://u:hunter2@h/x' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });

  it('allows another WhatsApp server only in a sandbox', () => {
    const foreign = {
      CONVOKE_WHATSAPP_URL: 'ws://127.0.0.1:9/ws',
      CONVOKE_WHATSAPP_ROOT_KEY: 'ab'.repeat(32),
    };
    expect(() => readConfig({ CONVOKE_WHATSAPP_URL: foreign.CONVOKE_WHATSAPP_URL })).toThrow(
      'CONVOKE_SANDBOX=1',
    );
    expect(() => readConfig({ CONVOKE_WHATSAPP_ROOT_KEY: foreign.CONVOKE_WHATSAPP_ROOT_KEY })).toThrow(
      'CONVOKE_WHATSAPP_ROOT_KEY',
    );
    expect(() => readConfig({ ...foreign, CONVOKE_SANDBOX: '0' })).toThrow(StartError);
    expect(readConfig({ ...foreign, CONVOKE_SANDBOX: '1' }).whatsappUrl).toBe('ws://127.0.0.1:9/ws');
  });

  it('leaves out the pace of messages only in a sandbox', () => {
    expect(readConfig({}).pacing).toBe(true);
    expect(() => readConfig({ CONVOKE_PACING: '0' })).toThrow('is for the simulator');
    expect(readConfig({ CONVOKE_PACING: '0', CONVOKE_SANDBOX: '1' }).pacing).toBe(false);
  });
});

describe('the times of a lease', () => {
  it('follow from how long it lasts', () => {
    expect(leaseTimesOf(readConfig({}))).toEqual({
      ttlMs: 30_000,
      renewMs: 10_000,
      marginMs: 5_000,
      graceMs: 2_000,
    });
    expect(leaseTimesOf(readConfig({ CONVOKE_LEASE_TTL_MS: '1500' }))).toEqual({
      ttlMs: 1_500,
      renewMs: 500,
      marginMs: 250,
      graceMs: 100,
    });
  });

  it('can each be set', () => {
    const env = {
      CONVOKE_LEASE_RENEW_MS: '4000',
      CONVOKE_LEASE_MARGIN_MS: '9000',
      CONVOKE_LEASE_GRACE_MS: '0',
    };
    expect(leaseTimesOf(readConfig(env))).toEqual({
      ttlMs: 30_000,
      renewMs: 4_000,
      marginMs: 9_000,
      graceMs: 0,
    });
  });

  it.each([
    { CONVOKE_LEASE_RENEW_MS: '13000' },
    { CONVOKE_LEASE_MARGIN_MS: '10001' },
    { CONVOKE_LEASE_TTL_MS: '20000', CONVOKE_LEASE_RENEW_MS: '10000', CONVOKE_LEASE_MARGIN_MS: '5000' },
  ])('are refused when one failed renewal would end every connection: %o', env => {
    expect(() => readConfig(env)).toThrow(StartError);
    expect(() => readConfig(env)).toThrow(
      /CONVOKE_LEASE_RENEW_MS .*CONVOKE_LEASE_MARGIN_MS .*CONVOKE_LEASE_TTL_MS/,
    );
  });
});

describe('nearest', () => {
  it('counts changed letters', () => {
    expect(nearest('CONVOKE_HOTS', ['CONVOKE_PORT', 'CONVOKE_HOST'])).toBe('CONVOKE_HOST');
  });
});
