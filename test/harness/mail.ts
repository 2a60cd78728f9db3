import type { CaughtMail } from '../../sim/mail/index.ts';
import { until } from './until.ts';

/** Waits for the newest mail to an address whose subject fits; `ask` reads the catcher, here or over HTTP. */
export async function mailTo(
  ask: (to: string) => Promise<CaughtMail[]> | CaughtMail[],
  to: string,
  subject: RegExp,
): Promise<CaughtMail> {
  return until(async () => (await ask(to)).findLast(mail => subject.test(mail.subject)), {
    what: () => `a mail to ${to} with the subject ${subject}`,
  });
}

/** What follows `path` in the link of a mail: the token of `…/reset/<token>` for `/reset/`. */
export function tokenIn(mail: Pick<CaughtMail, 'text'>, path: string): string {
  const found = mail.text.split(/\s/).find(word => word.includes(path));
  if (!found) throw new Error(`There is no link to ${path} in the mail:\n${mail.text}`);
  return found.slice(found.indexOf(path) + path.length);
}
