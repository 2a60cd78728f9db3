import { describe, expect, it } from 'vitest';
import type { Mail } from '../../kernel/index.ts';
import {
  accountDeletedMail,
  confirmEmailMail,
  emailChangedMail,
  invitationMail,
  knownAddressMail,
  newDeviceMail,
  passwordChangedMail,
  type Reader,
  resetMail,
  signUpMail,
  stolenLoginMail,
} from './words.ts';

const EVIL = `\n"><img src=x onerror=alert(1)> & 'you'`;
const LINK = 'https://convoke.example.org/reset/abc?a=1&b=2';
const reader: Reader = { email: 'anna@example.org', name: EVIL, timeZone: 'Europe/Berlin' };
const happened = { at: new Date('2026-03-29T10:00:00Z'), device: EVIL, address: '203.0.113.9' };

const all: [string, Mail][] = [
  ['sign-up', signUpMail('anna@example.org', LINK)],
  ['known address', knownAddressMail(reader, LINK, LINK)],
  ['reset', resetMail(reader, LINK)],
  ['password changed', passwordChangedMail(reader, happened, LINK)],
  ['confirm address', confirmEmailMail(reader, LINK)],
  ['address changed', emailChangedMail(reader, EVIL, happened)],
  ['account deleted', accountDeletedMail(reader, happened)],
  ['new device', newDeviceMail(reader, happened, LINK)],
  ['stolen login', stolenLoginMail(reader, happened, LINK)],
  [
    'invitation',
    invitationMail('anna@example.org', { workspace: EVIL, inviter: EVIL, role: 'door_staff', link: LINK }),
  ],
];

describe('our mails', () => {
  it.each(all)('%s: nothing that somebody chose becomes markup', (_, mail) => {
    expect(mail.html).not.toContain('<img');
    expect(mail.html).not.toContain(EVIL.trim());
    expect(mail.html.match(/<(?:script|link|form|iframe|object)\b/g)).toBeNull();
  });

  it.each(all)('%s: says the same as text, and loads nothing from anywhere', (_, mail) => {
    const links = [...mail.html.matchAll(/href="([^"]*)"/g)].map(match => match[1]?.replaceAll('&#38;', '&'));
    expect(links.every(link => link === LINK)).toBe(true);
    if (links.length > 0) expect(mail.text).toContain(LINK);
    expect(mail.html).not.toMatch(/<[^>]*(?:src=|url\()|@import/);
    expect(mail.text).not.toMatch(/<(?:p|td|a|html)[ >]/);
  });

  it.each(all)('%s: has one line as subject', (_, mail) => {
    expect(mail.subject.length).toBeGreaterThan(5);
    expect(mail.subject).not.toMatch(/[\r\n]/);
  });

  it('tell the time as in the zone of the person', () => {
    const { text } = passwordChangedMail(reader, happened, LINK);
    expect(text).toContain('March 29, 2026 at 12:00:00 PM GMT+2');
    expect(passwordChangedMail({ ...reader, timeZone: null }, happened, LINK).text).toContain(
      '10:00:00 AM UTC',
    );
  });

  it('that go to an address which nobody has proven say nothing of anybody', () => {
    expect(signUpMail('anna@example.org', LINK).text).toMatch(/^Hello,\n/);
  });

  it('do not let a name look like lines of ours', () => {
    const { text } = resetMail({ ...reader, name: 'Anna\n\nCall +49 170 000' }, LINK);
    expect(text.split('\n')[0]).toBe('Hello Anna Call +49 170 000,');
  });
});
