/**
 * Mail catcher: a mail server that delivers to nobody and shows what it got, for the demo and for tests.
 *
 * Owns: the mails that were handed to it, in memory.
 * Promises: keeps what a mail server was really given, parsed by another library than the one that wrote it.
 * Never: passes a mail on, imports product code.
 * Called by: `npm run demo` and tests; product code never imports it.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { servePage } from './page.ts';

export type CaughtMail = {
  id: string;
  at: string;
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
};

export type MailCatcher = {
  /** For `CONVOKE_SMTP_URL`. */
  smtpUrl: string;
  /** Of the page, and of `GET /mails` as JSON. */
  url: string;
  /** The newest last; with an address, only those to it. */
  mails(to?: string): CaughtMail[];
  /** Refuses the next so many mails with this answer: 451 is for now, 550 for good. */
  refuse(times: number, code: number): void;
  close(): Promise<void>;
};

const MOST = 500;

/** Both on loopback; `port` is that of the page, 0 (the default) takes a free one. */
export async function startMailCatcher(options: { port?: number } = {}): Promise<MailCatcher> {
  const caught: CaughtMail[] = [];
  let refusals = { times: 0, code: 451 };
  const take = async (raw: Buffer, to: string) => {
    const mail = await simpleParser(raw, { skipTextToHtml: true, skipHtmlToText: true });
    caught.push({
      id: randomUUID(),
      at: new Date().toISOString(),
      from: mail.from?.text ?? '',
      to,
      subject: mail.subject ?? '',
      text: mail.text ?? '',
      html: mail.html || '',
      headers: Object.fromEntries(
        mail.headerLines.map(({ key, line }) => [key, line.slice(key.length + 1).trim()]),
      ),
    });
    if (caught.length > MOST) caught.shift();
  };
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: ({ username }, _session, done) => done(null, { user: username ?? '' }),
    onRcptTo: (_address, _session, done) => {
      if (refusals.times <= 0) return done();
      refusals = { ...refusals, times: refusals.times - 1 };
      done(Object.assign(new Error('The mail catcher was told to refuse'), { responseCode: refusals.code }));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join(', ');
        take(Buffer.concat(chunks), to).then(() => done(), done);
      });
    },
  });
  // A client that hangs up is no fault of ours.
  smtp.on('error', () => undefined);
  await new Promise<void>(resolve => smtp.listen(0, '127.0.0.1', resolve));
  const mails = (to?: string) => caught.filter(mail => to === undefined || mail.to === to);
  const page = await servePage(mails, options.port ?? 0);
  return {
    smtpUrl: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    url: page.url,
    mails,
    refuse: (times, code) => {
      refusals = { times, code };
    },
    close: async () => {
      await page.close();
      await new Promise<void>(resolve => smtp.close(() => resolve()));
    },
  };
}
