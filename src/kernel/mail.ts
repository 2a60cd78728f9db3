import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import type { Config } from './config.ts';
import { HopelessJob } from './jobs.ts';
import type { Kernel } from './kernel.ts';
import { maskEmail } from './log.ts';

/** One mail to one person; `kind` names it in the log. */
export type Mail = { kind: string; to: string; subject: string; text: string; html: string };

/**
 * Sends the program's own mails. To be called from a job, which tries again what fails; it throws HopelessJob where the
 * mail server refuses for good. Without a mail server the log says that there was a mail, and nothing of what it says.
 */
export type Mailer = {
  send(mail: Mail): Promise<void>;
  close(): void;
};

const WAIT_MS = 15_000;

export function createMailer({ config, log }: Pick<Kernel, 'config' | 'log'>): Mailer {
  const { smtpUrl, mailFrom } = config;
  if (smtpUrl === undefined) {
    return {
      send: async ({ kind, to }) =>
        log.info(
          { event: 'mail.send', outcome: 'no_server', kind, to: maskEmail(to) },
          'A mail was not sent: there is no CONVOKE_SMTP_URL.',
        ),
      close: () => undefined,
    };
  }
  const transport = createTransport(transportOf(smtpUrl));
  return {
    async send({ kind, to, subject, text, html }) {
      const headers = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' };
      try {
        // As an object, so that no character of an address can add another.
        await transport.sendMail({
          from: mailFrom,
          to: { name: '', address: to },
          subject,
          text,
          html,
          headers,
        });
      } catch (error) {
        throw refusalOf(error);
      }
      log.info({ event: 'mail.send', outcome: 'ok', kind, to: maskEmail(to) });
    },
    close: () => transport.close(),
  };
}

/** A password goes over the wire only under TLS, unless the server is this machine. */
function transportOf(smtpUrl: NonNullable<Config['smtpUrl']>): SMTPTransportOptions {
  const url = new URL(smtpUrl);
  const secure = url.protocol === 'smtps:';
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && !isHere && user !== '',
    tls: { rejectUnauthorized: !isHere },
    ...(user === '' ? {} : { auth: { user, pass: decodeURIComponent(url.password) } }),
    connectionTimeout: WAIT_MS,
    greetingTimeout: WAIT_MS,
    socketTimeout: WAIT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** What the library says may hold addresses and whole answers, so only its codes are told. */
function refusalOf(error: unknown): Error {
  const { code = 'unknown', responseCode } = error as { code?: string; responseCode?: number };
  const words = `The mail server did not take the mail (${code}${responseCode ? `, ${responseCode}` : ''}).`;
  // A wrong password is the operator's to mend; a mailbox that does not exist is nobody's.
  const forGood = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH';
  return forGood ? new HopelessJob(words) : new Error(words);
}
