import { z } from 'zod';
import { Password, Username } from '../schema.ts';

export const Email = z
  .email('This is not an e-mail address.')
  .trim()
  .max(254, 'This address is too long.')
  .describe('Compared without regard to case');

const Name = z
  .string()
  .trim()
  .min(1, 'Write a name.')
  .max(100, 'Use at most 100 characters.')
  .regex(/^[^\p{C}]*$/u, 'Write the name in one line.');

const Locale = z
  .string()
  .max(35)
  .refine(isLocale, 'This is not a language tag, such as en or de-AT.')
  .describe('BCP 47');

const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'There is no such time zone. Choose one such as Europe/Berlin.');

const LinkToken = z.string().min(1).max(100);

export const SignUp = z.strictObject({ email: Email });

export const SignUpCompletion = z.strictObject({
  token: LinkToken,
  name: Name,
  username: Username.optional(),
  password: Password,
  accept_terms: z.boolean().default(false).describe('Needed where this installation has terms'),
  locale: Locale.default('en'),
  time_zone: TimeZone.optional(),
});
export type SignUpCompletion = z.output<typeof SignUpCompletion>;

export const Forgotten = z.strictObject({
  name: z.string().min(1).max(254).describe('Username or e-mail address'),
});
export const Reset = z.strictObject({ token: LinkToken, password: Password });
export const PasswordChange = z.strictObject({ current: z.string().min(1).max(256), new: Password });
export const EmailChange = z.strictObject({ email: Email, password: z.string().min(1).max(256) });
export const AccountDeletion = z.strictObject({
  password: z.string().min(1).max(256),
  code: z.string().min(1).max(100).optional().describe('Needed where a second factor is set up'),
});
export const EmailConfirmation = z.strictObject({ token: LinkToken });
export const TermsConsent = z.strictObject({ version: z.string().min(1).max(100) });

export const ProfileChange = z
  .strictObject({
    name: Name,
    username: Username,
    locale: Locale,
    time_zone: TimeZone.nullable(),
    theme: z.enum(['auto', 'light', 'dark']),
  })
  .partial();
export type ProfileChange = z.output<typeof ProfileChange>;

export const Instance = z.object({
  name: z.string(),
  version: z.string(),
  sign_up: z.enum(['open', 'invitation', 'closed']).describe('Who may make an account'),
  terms: z.object({ version: z.string(), url: z.string().nullable() }).nullable(),
  mail: z.boolean().describe('Whether mails leave this installation'),
});
export type Instance = z.output<typeof Instance>;

function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
