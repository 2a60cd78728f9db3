import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type MailCatcher, startMailCatcher } from '../../sim/mail/index.ts';
import { readConfig } from './config.ts';
import { HopelessJob } from './jobs.ts';
import { createLogger } from './log.ts';
import { createMailer, type Mail } from './mail.ts';

let catcher: MailCatcher;
let lines: string[] = [];
const log = createLogger('trace', { write: line => void lines.push(line) });

beforeAll(async () => {
  catcher = await startMailCatcher();
});
afterAll(() => catcher.close());
beforeEach(() => {
  lines = [];
});

const mail: Mail = {
  kind: 'reset',
  to: 'anna@example.org',
  subject: 'Grüße',
  text: 'Open https://convoke.example.org/reset/secret-token',
  html: '<p>Open <a href="https://convoke.example.org/reset/secret-token">this</a></p><script>alert(1)</script>',
};

function mailer(smtpUrl: string) {
  const env = {
    CONVOKE_SMTP_URL: smtpUrl,
    CONVOKE_MAIL_FROM: 'Convoke <c@example.org>',
    CONVOKE_SANDBOX: '1',
  };
  return createMailer({ config: readConfig(smtpUrl === '' ? {} : env), log });
}

describe('mail', () => {
  it('arrives as it was written, as an answer to nobody, and the log knows only what kind it was', async () => {
    await mailer(catcher.smtpUrl).send(mail);
    expect(catcher.mails('anna@example.org').at(-1)).toMatchObject({
      from: '"Convoke" <c@example.org>',
      to: 'anna@example.org',
      subject: 'Grüße',
      text: expect.stringContaining('/reset/secret-token'),
      html: expect.stringContaining('href='),
      headers: expect.objectContaining({ 'auto-submitted': 'auto-generated' }),
    });
    expect(lines.map(line => JSON.parse(line))).toEqual([
      expect.objectContaining({ event: 'mail.send', outcome: 'ok', kind: 'reset', to: 'a••••@example.org' }),
    ]);
    expect(lines.join()).not.toMatch(/secret-token|anna/);
  });

  it('without a mail server is told in the log, without its link and its address', async () => {
    await mailer('').send(mail);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ outcome: 'no_server', to: 'a••••@example.org' });
    expect(lines.join()).not.toMatch(/secret-token|anna/);
  });

  it('to an address that looks like two goes to neither', async () => {
    const before = catcher.mails().length;
    const sent = mailer(catcher.smtpUrl).send({ ...mail, to: 'a@example.org, b@example.org' });
    await sent.catch(() => undefined);
    expect(catcher.mails('b@example.org')).toEqual([]);
    expect(
      catcher
        .mails()
        .slice(before)
        .map(one => one.to),
    ).not.toContain('a@example.org');
  });

  it('that is refused for now may be tried again, one refused for good may not', async () => {
    catcher.refuse(1, 451);
    const forNow = await mailer(catcher.smtpUrl)
      .send(mail)
      .catch(error => error);
    expect(forNow).toBeInstanceOf(Error);
    expect(forNow).not.toBeInstanceOf(HopelessJob);
    catcher.refuse(1, 550);
    const forGood = await mailer(catcher.smtpUrl)
      .send(mail)
      .catch(error => error);
    expect(forGood).toBeInstanceOf(HopelessJob);
    expect(`${forNow}${forGood}`).not.toContain('anna');
    await mailer(catcher.smtpUrl).send(mail);
  });

  it('with a password stays here when another machine offers no TLS', async () => {
    const heard: string[] = [];
    const server = await plainServer(heard);
    const { port } = server.address() as { port: number };
    // To us 0.0.0.0 is another machine.
    await expect(mailer(`smtp://anna:hunter2@0.0.0.0:${port}`).send(mail)).rejects.toThrow('did not take');
    expect(heard.join()).toMatch(/EHLO/);
    expect(heard.join()).not.toMatch(/AUTH|MAIL FROM/);
    server.close();
  });
});

describe('the page of the mail catcher', () => {
  it('lists the mails, and shows each where it can do nothing', async () => {
    await mailer(catcher.smtpUrl).send({ ...mail, to: 'page@example.org' });
    const page = await fetch(catcher.url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const { data } = await (await fetch(`${catcher.url}/mails?to=page@example.org`)).json();
    expect(data).toHaveLength(1);
    const shown = await fetch(`${catcher.url}/mails/${data[0].id}/html`);
    expect(await shown.text()).toContain('<script>');
    expect(shown.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
    expect((await fetch(`${catcher.url}/mails/x/html`)).status).toBe(404);
  });
});

/** A mail server that can do nothing but take a password in the clear. */
function plainServer(heard: string[]): Promise<Server> {
  const server = createServer(socket => {
    socket.write('220 here\r\n');
    socket.on('error', () => undefined);
    socket.on('data', chunk => {
      heard.push(chunk.toString());
      socket.write(/^EHLO/.test(chunk.toString()) ? '250-here\r\n250 AUTH PLAIN LOGIN\r\n' : '500 no\r\n');
    });
  });
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)));
}
