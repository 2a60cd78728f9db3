import { z } from 'zod';
import type { Jobs, Kernel, Mail, Mailer, Tx } from '../../kernel/index.ts';
import {
  accountDeletedMail,
  confirmEmailMail,
  emailChangedMail,
  knownAddressMail,
  newDeviceMail,
  passwordChangedMail,
  type Reader,
  resetMail,
  signUpMail,
  stolenLoginMail,
} from '../mail/words.ts';
import { userNamed } from '../users.ts';
import { drawLink } from './links.ts';
import type { Notice } from './notices.ts';

const Happened = {
  at: z.iso.datetime().transform(text => new Date(text)),
  device: z.string().nullable(),
  address: z.string().nullable(),
};

/**
 * The mails of people's accounts. Each job finds out itself whom it is about and draws the token of its link, which is
 * stored nowhere but in the mail. `webUrl` is where the links lead.
 */
export function registerPeopleJobs(jobs: Jobs, kernel: Kernel, mailer: Mailer, webUrl: string): void {
  const { database } = kernel;
  const forgot = `${webUrl}/forgot`;
  jobs.handle('identity.sign_up_mail', { payload: z.object({ email: z.string() }) }, async ({ email }) => {
    const mail = await database.inEngine('identity.sign_up_mail', async tx => {
      const known = await userNamed(tx, email);
      const reader = known && (await readerOf(tx, known.id));
      if (reader) return knownAddressMail(reader, `${webUrl}/sign-in`, forgot);
      return signUpMail(
        email,
        `${webUrl}/sign-up/${await drawLink(tx, kernel, { purpose: 'sign_up', email })}`,
      );
    });
    await mailer.send(mail);
  });
  jobs.handle('identity.reset_mail', { payload: z.object({ name: z.string() }) }, async ({ name }) => {
    const mail = await database.inEngine('identity.reset_mail', async tx => {
      const user = await userNamed(tx, name);
      const reader = user && (await readerOf(tx, user.id));
      if (!user || !reader) return undefined;
      const token = await drawLink(tx, kernel, { purpose: 'reset', userId: user.id });
      return resetMail(reader, `${webUrl}/reset/${token}`);
    });
    if (mail) await mailer.send(mail);
  });
  const Confirmation = z.object({ user_id: z.string(), email: z.string() });
  jobs.handle(
    'identity.confirm_email_mail',
    { payload: Confirmation },
    async ({ user_id: userId, email }) => {
      const mail = await database.inEngine('identity.confirm_email_mail', async tx => {
        const owner = await userNamed(tx, email);
        const reader = owner && owner.id !== userId && (await readerOf(tx, owner.id));
        if (reader) return knownAddressMail(reader, `${webUrl}/sign-in`, forgot);
        const asking = await tx
          .selectFrom('users')
          .select('name')
          .where('id', '=', userId)
          .executeTakeFirst();
        if (!asking) return undefined;
        const token = await drawLink(tx, kernel, { purpose: 'email', userId, email });
        return confirmEmailMail({ email, name: asking.name }, `${webUrl}/confirm/${token}`);
      });
      if (mail) await mailer.send(mail);
    },
  );
  const Noticed = z.object({
    user_id: z.string(),
    notice: z.enum(['password_changed', 'new_device', 'stolen_login']),
    ...Happened,
  });
  jobs.handle(
    'identity.notice_mail',
    { payload: Noticed },
    async ({ user_id: userId, notice, ...happened }) => {
      const reader = await database.inEngine('identity.notice_mail', tx => readerOf(tx, userId));
      if (!reader) return;
      const devices = `${webUrl}/devices`;
      const words = {
        password_changed: () => passwordChangedMail(reader, happened, forgot),
        new_device: () => newDeviceMail(reader, happened, devices),
        stolen_login: () => stolenLoginMail(reader, happened, devices),
      } satisfies Record<Notice, () => Mail>;
      await mailer.send(words[notice]());
    },
  );
  // Told even where nobody is there any more to be looked up.
  const Told = {
    email: z.string(),
    name: z.string(),
    locale: z.string(),
    time_zone: z.string().nullable(),
    ...Happened,
  };
  const Moved = z.object({ ...Told, new_email: z.string() });
  jobs.handle(
    'identity.email_changed_mail',
    { payload: Moved },
    async ({ time_zone: timeZone, new_email: newEmail, ...told }) => {
      await mailer.send(emailChangedMail({ ...told, timeZone }, newEmail, told));
    },
  );
  jobs.handle(
    'identity.account_deleted_mail',
    { payload: z.object(Told) },
    async ({ time_zone: timeZone, ...told }) => {
      await mailer.send(accountDeletedMail({ ...told, timeZone }, told));
    },
  );
}

/** Undefined for who has no address, or was locked by those who run the installation. */
async function readerOf(tx: Tx, userId: string): Promise<Reader | undefined> {
  const user = await tx
    .selectFrom('users')
    .select(['email', 'name', 'locale', 'time_zone as timeZone'])
    .where('id', '=', userId)
    .where('locked_at', 'is', null)
    .executeTakeFirst();
  return user && user.email !== null ? { ...user, email: user.email } : undefined;
}
