import type { Mail } from '../../kernel/index.ts';
import { mailTo } from './layout.ts';

/** Who gets a mail. Times are told as in their own zone. */
export type Reader = { email: string; name: string; locale?: string; timeZone?: string | null };

/** Where something happened from, as far as it is known. */
export type Happened = { at: Date; device?: string | null; address?: string | null };

const NOT_YOU = 'If this was not you, you need do nothing: without the link nothing happens.';

/** To an address that nobody here has proven yet: it says nothing of anybody. */
export function signUpMail(email: string, link: string): Mail {
  return mailTo(email, {
    kind: 'sign_up',
    subject: 'Finish your sign-up at Convoke',
    paragraphs: [
      'Somebody, most likely you, wants to sign up at Convoke with this address.',
      'Follow the link to choose a name and a password. It works once, for 24 hours.',
    ],
    button: { label: 'Finish the sign-up', url: link },
    footer: NOT_YOU,
  });
}

/** Instead of `signUpMail`, to somebody who has an account: only the owner of the address learns that. */
export function knownAddressMail(to: Reader, signInUrl: string, forgotUrl: string): Mail {
  return mailTo(to.email, {
    kind: 'known_address',
    subject: 'You have an account at Convoke already',
    name: to.name,
    paragraphs: [
      'Somebody, most likely you, wanted to sign up with this address. It belongs to your account already, so just sign in.',
      `If you have forgotten the password, choose another here: ${forgotUrl}`,
    ],
    button: { label: 'Sign in', url: signInUrl },
    footer: 'If this was not you, you need do nothing. Nothing of your account has changed.',
  });
}

export function resetMail(to: Reader, link: string): Mail {
  return mailTo(to.email, {
    kind: 'reset',
    subject: 'Choose a new password for Convoke',
    name: to.name,
    paragraphs: [
      'Somebody, most likely you, has forgotten the password of your account.',
      'Follow the link to choose a new one. It works once, for one hour, and signs you out everywhere else.',
    ],
    button: { label: 'Choose a new password', url: link },
    footer: NOT_YOU,
  });
}

export function passwordChangedMail(to: Reader, happened: Happened, forgotUrl: string): Mail {
  return mailTo(to.email, {
    kind: 'password_changed',
    subject: 'Your password for Convoke was changed',
    name: to.name,
    paragraphs: ['The password of your account was changed, and you were signed out everywhere else.'],
    facts: factsOf(to, happened),
    footer: `If this was not you, choose a new password at once: ${forgotUrl}`,
  });
}

export function confirmEmailMail(to: Reader, link: string): Mail {
  return mailTo(to.email, {
    kind: 'confirm_email',
    subject: 'Confirm your new address for Convoke',
    name: to.name,
    paragraphs: [
      'You want to use this address for your account. Follow the link to confirm that it is yours.',
      'It works once, for 24 hours. Until then everything stays as it is.',
    ],
    button: { label: 'Confirm the address', url: link },
    footer: NOT_YOU,
  });
}

/** To the address that an account had until now. */
export function emailChangedMail(to: Reader, newEmail: string, happened: Happened): Mail {
  return mailTo(to.email, {
    kind: 'email_changed',
    subject: 'The address of your account at Convoke was changed',
    name: to.name,
    paragraphs: [
      'Mails about your account go to another address from now on, and this one no longer signs in.',
    ],
    facts: [['New address', newEmail], ...factsOf(to, happened)],
    footer:
      'If this was not you, somebody else has your password and the mailbox above. Tell the people who run this installation.',
  });
}

/** To the address of an account that is no more. */
export function accountDeletedMail(to: Reader, happened: Happened): Mail {
  return mailTo(to.email, {
    kind: 'account_deleted',
    subject: 'Your account at Convoke was deleted',
    name: to.name,
    paragraphs: [
      'Your account was deleted, with its sign-ins, memberships and API keys. This cannot be undone.',
      'What you sent from a workspace stays there.',
    ],
    facts: factsOf(to, happened),
    footer:
      'If this was not you, somebody else had your password. Tell the people who run this installation.',
  });
}

/** After a sign-in from a device that this person had not used before. */
export function newDeviceMail(to: Reader, happened: Happened, devicesUrl: string): Mail {
  return mailTo(to.email, {
    kind: 'new_device',
    subject: 'A new sign-in to your account at Convoke',
    name: to.name,
    paragraphs: ['Somebody, most likely you, has signed in from a device that we had not seen before.'],
    facts: factsOf(to, happened),
    button: { label: 'See your devices', url: devicesUrl },
    footer: 'If this was not you, end that login in the list of your devices and change your password.',
  });
}

/** After a token was shown twice: one of the two who have it has stolen it. */
export function stolenLoginMail(to: Reader, happened: Happened, devicesUrl: string): Mail {
  return mailTo(to.email, {
    kind: 'stolen_login',
    subject: 'We have ended a login of your account at Convoke',
    name: to.name,
    paragraphs: [
      'A key of a program that is signed in for you was used twice, as happens when somebody has copied it. That login has ended, for the program as for the copy.',
      'Sign in again in the program. If you did not expect this, change your password.',
    ],
    facts: factsOf(to, happened),
    button: { label: 'See your devices', url: devicesUrl },
    footer: 'You get this because the login belonged to your account.',
  });
}

/** `inviter` is the name that the inviting person has chosen. */
export function invitationMail(
  email: string,
  given: { workspace: string; inviter: string; role: string; link: string },
): Mail {
  const who = given.inviter || 'Somebody';
  return mailTo(email, {
    kind: 'invitation',
    subject: `Join ${given.workspace} at Convoke`,
    paragraphs: [
      `${who} invites you to the workspace “${given.workspace}” as ${given.role.replaceAll('_', ' ')}.`,
      'Follow the link to join, with the account that you have or a new one. It works once, for seven days.',
    ],
    button: { label: 'Look at the invitation', url: given.link },
    footer: 'If you do not know what this is about, you need do nothing.',
  });
}

function factsOf(to: Reader, { at, device, address }: Happened): [string, string][] {
  return [
    ['When', timeOf(to, at)],
    ...(device ? [['Device', device] as [string, string]] : []),
    ...(address ? [['From', address] as [string, string]] : []),
  ];
}

function timeOf({ locale = 'en', timeZone }: Reader, at: Date): string {
  return new Intl.DateTimeFormat(locale, {
    dateStyle: 'long',
    timeStyle: 'long',
    timeZone: timeZone ?? 'UTC',
  }).format(at);
}
