import type { BinaryNode } from 'baileys';
import type { RawInbound } from '../contract.ts';
import type { BoundedCache } from './bounded-cache.ts';
import { keyOfStanza, openedMessage, placeholderFor, repad } from './convert.ts';
import { isLid, phoneAddress, userOf } from './ids.ts';
import { readStored } from './parse.ts';
import { ciphertextsOf, type Opening } from './signal.ts';
import type { Auth } from './store.ts';

type Parts = {
  auth: Auth;
  /** Gets the keys of what is stored already when Baileys brings it. */
  kept: BoundedCache;
  /** The stanza that a ciphertext came in. */
  find(ciphertext: Uint8Array): BinaryNode | undefined;
  /** Stores what did not come through Signal; false when that failed. */
  keep(raw: RawInbound): Promise<boolean>;
  /** Ends the socket before anything else is confirmed on it. */
  breakOff(): void;
};

/** Keeps what Signal opens, and a placeholder for what it could not open, before the server hears of either. */
export function openingOver({ auth, kept, find, keep, breakOff }: Parts): Opening {
  return {
    async opened(ciphertext, plain, author) {
      const [node, self] = [find(ciphertext), auth.creds.me];
      return node && self && openedMessage(node, plain, self, author, await knownNumber(auth, node));
    },
    kept: message => kept.set(message.key, true),
    async openedBefore(ciphertext, author) {
      const [node, self] = [find(ciphertext), auth.creds.me];
      const key = node && self && keyOfStanza(node, self, author);
      const payload = key === undefined ? undefined : await auth.readInbound(key);
      const before = payload && readStored(payload);
      return before && repad(before);
    },
    async failed(ciphertext, author) {
      const [node, self] = [find(ciphertext), auth.creds.me];
      // One before the last may fail alone, such as a key for the group that is known already.
      if (!node || !self || ciphertextsOf(node).at(-1) !== ciphertext) return;
      const placeholder = placeholderFor(node, self, author, await knownNumber(auth, node));
      if (!placeholder) return;
      if (await keep(placeholder)) kept.set(placeholder.key, true);
      else breakOff();
    },
    unstored: breakOff,
  };
}

/** The phone address of who wrote under a LID alone, where an earlier stanza or look-up has told it. */
async function knownNumber(auth: Auth, { attrs }: BinaryNode): Promise<string | undefined> {
  const sender = attrs.participant ?? attrs.from;
  if (!isLid(sender) || attrs.participant_pn || attrs.sender_pn) return undefined;
  const id = `${userOf(sender ?? '')}_reverse`;
  const found = (await auth.keys.get('lid-mapping', [id]))[id];
  return found && phoneAddress(found);
}
