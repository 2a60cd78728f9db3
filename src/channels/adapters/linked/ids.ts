import { randomBytes } from 'node:crypto';
import {
  areJidsSameUser,
  isJidGroup,
  isJidNewsletter,
  isJidStatusBroadcast,
  isLidUser,
  isPnUser,
  jidDecode,
  jidNormalizedUser,
} from 'baileys';
import type { Identity } from '../../../contacts/index.ts';
import type { LinkedAccount, WireTarget } from '../contract.ts';

/** The only place that reads WhatsApp's addresses: `<phone>[:device]@s.whatsapp.net`, `<lid>[:device]@lid`, `…@g.us`. */

/** Our own device as the credentials name it. */
export type Self = { id: string; lid?: string | undefined; name?: string | undefined };

/** A message id in the form of official clients: 3EB0 and 18 hex digits. */
export function newMessageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
}

/** Whether an id has the form of those that we draw; other web clients draw theirs alike. */
export function isNamedByUs(id: string): boolean {
  return /^3EB0[0-9A-F]{18}$/.test(id);
}

export function addressOf(target: WireTarget): string {
  return target.kind === 'group' ? target.providerId : phoneAddress(target.phone.slice(1));
}

export function phoneAddress(digits: string): string {
  return `${digits}@s.whatsapp.net`;
}

export function isGroup(address: string | undefined): boolean {
  return isJidGroup(address) === true;
}

/** False for status updates, newsletters and other things that are no conversation. */
export function isConversation(address: string): boolean {
  return !isJidStatusBroadcast(address) && !isJidNewsletter(address);
}

export function isLid(address: string | undefined): boolean {
  return isLidUser(address) === true;
}

/** E.164 of a phone address; undefined for a LID. */
export function phoneOf(address: string | undefined): string | undefined {
  const user = isPnUser(address) ? jidDecode(address)?.user : undefined;
  return user === undefined ? undefined : `+${user}`;
}

/** The person behind a device address. */
export function personAddress(address: string): string {
  return jidNormalizedUser(address);
}

/** What the rest of the house calls a person: the phone number where one is known, else the LID. */
export function personName(address: string, alternative?: string | undefined): string {
  return phoneOf(address) ?? phoneOf(alternative) ?? personAddress(address);
}

/** All names of a person among what a stanza and our own notes say of them: a phone number, a LID. */
export function identitiesOf(names: (string | undefined)[]): Identity[] {
  return [...new Set(names)].flatMap((name): Identity[] => {
    if (name?.startsWith('+')) return [{ kind: 'phone', value: name }];
    return name !== undefined && isLid(name) ? [{ kind: 'whatsapp_lid', value: personAddress(name) }] : [];
  });
}

export function isSelf(address: string | undefined, self: Self): boolean {
  return areJidsSameUser(address, self.id) || (self.lid !== undefined && areJidsSameUser(address, self.lid));
}

/** Both forms of our own number without the device. */
export function ownAddress(self: Self): string {
  return jidNormalizedUser(self.id);
}

export function userOf(address: string): string | undefined {
  return jidDecode(address)?.user;
}

/** Credentials name the account only once a phone has agreed; a code on show leaves a bare number without LID. */
export function accountOf(self: Self | undefined): LinkedAccount | undefined {
  const phone = phoneOf(self?.id);
  if (!self?.lid || phone === undefined) return undefined;
  const profileName = self.name && self.name !== '~' ? self.name : undefined;
  return { phone, account: jidNormalizedUser(self.lid), profileName };
}

/** The same message has the same key however often it is brought. */
export function inboundKey(chat: string, sender: string, id: string): string {
  return `${jidNormalizedUser(chat)}|${jidNormalizedUser(sender)}|${id}`;
}
