import { randomBytes } from 'node:crypto';
import { type BinaryNode, proto, unpadRandomMax16, type WAMessage } from 'baileys';
import type { Content } from '../../../kernel/index.ts';
import type { RawInbound } from '../contract.ts';
import {
  inboundKey,
  isConversation,
  isGroup,
  isLid,
  isSelf,
  personAddress,
  personName,
  phoneOf,
  type Self,
} from './ids.ts';

/** An inbound message as intake keeps it: who and when from the stanza, the message as its protobuf bytes. */
export type Stored = {
  chat: string;
  from: string;
  /** The LID, where `from` is the number that belongs to it. */
  also?: string;
  id: string;
  at: number;
  message?: string;
};

export const MESSAGE = 'message';
export const UNDECRYPTABLE = 'undecryptable';

/** The message as official clients make it; the secret belongs to it, so it is drawn once and stored with it. */
export function encodeContent(content: Content): Uint8Array {
  return proto.Message.encode({
    extendedTextMessage: { text: content.text.body },
    messageContextInfo: { messageSecret: randomBytes(32) },
  }).finish();
}

export function decodeMessage(payload: Uint8Array): proto.IMessage {
  return proto.Message.decode(payload);
}

/** Who a message of another person is from, and where it belongs. */
type Source = {
  chat: string;
  sender: string;
  /** The sender's other address, where the provider tells it. */
  alternative: string | undefined;
  lid: string | undefined;
  id: string;
  at: number;
};

/** Further addresses of a sender, by what was learned from earlier stanzas and look-ups. */
export type Known = (string | undefined)[];

/** What a decrypted stanza brought; undefined for our own echoes, keys and what else is no message of a person. */
export function openedMessage(
  node: BinaryNode,
  plain: Uint8Array,
  self: Self,
  ...known: Known
): RawInbound | undefined {
  const source = sourceOf(node, self, known);
  if (!source) return undefined;
  const message = unpadRandomMax16(plain);
  return isContent(proto.Message.decode(message)) ? rawMessage(source, message) : undefined;
}

/** The key of the message in a stanza; undefined when it is none of another person. */
export function keyOfStanza(node: BinaryNode, self: Self, ...known: Known): string | undefined {
  const source = sourceOf(node, self, known);
  return source && keyOf(source);
}

/** What stands for a message that cannot be read, until it comes again and can. */
export function placeholderFor(node: BinaryNode, self: Self, ...known: Known): RawInbound | undefined {
  const source = sourceOf(node, self, known);
  return source && rawPlaceholder(source);
}

/** The plaintext as Baileys expects it from Signal: padded. */
export function repad(stored: Stored): Uint8Array | undefined {
  if (stored.message === undefined) return undefined;
  return Buffer.concat([Buffer.from(stored.message, 'base64'), Buffer.of(1)]);
}

/** What an upsert brought that did not come through Signal, or that could not be opened. */
export function upsertedMessage(upserted: WAMessage, self: Self, ...known: Known): RawInbound | undefined {
  const { remoteJid: chat, fromMe, id, participant, participantAlt, remoteJidAlt } = upserted.key;
  const sender = participant || chat;
  if (fromMe || !chat || !sender || !id || isSelf(sender, self) || !isConversation(chat)) return undefined;
  const told = participantAlt ?? remoteJidAlt ?? undefined;
  const at = Number(upserted.messageTimestamp ?? 0);
  const source = {
    chat,
    sender,
    alternative: told ?? phoneAmong(known),
    lid: lidAmong(sender, told, ...known),
    id,
    at,
  };
  // Of several ciphertexts one may have failed that did not matter: what could be read counts.
  if (upserted.message && isContent(upserted.message))
    return rawMessage(source, proto.Message.encode(upserted.message).finish());
  return upserted.messageStubType === proto.WebMessageInfo.StubType.CIPHERTEXT
    ? rawPlaceholder(source)
    : undefined;
}

function sourceOf(node: BinaryNode, self: Self, known: Known): Source | undefined {
  const { id, from, participant, recipient, category, t } = node.attrs;
  const sender = participant ?? from;
  if (node.tag !== 'message' || !id || !from || !sender || recipient || category === 'peer') return undefined;
  if (isSelf(sender, self) || !isConversation(from)) return undefined;
  const { participant_pn, sender_pn, participant_lid, sender_lid } = node.attrs;
  const alternative = participant_pn ?? sender_pn ?? participant_lid ?? sender_lid ?? phoneAmong(known);
  const lid = lidAmong(sender, participant_lid, sender_lid, ...known);
  return { chat: from, sender, alternative, lid, id, at: Number(t ?? 0) };
}

function phoneAmong(addresses: Known): string | undefined {
  return addresses.find(address => phoneOf(address) !== undefined);
}

function lidAmong(...addresses: Known): string | undefined {
  const lid = addresses.find(isLid);
  return lid && personAddress(lid);
}

/** By the LID where one is known: the same message may come under either address, such as after a retry. */
function keyOf({ chat, sender, lid, id }: Source): string {
  const author = lid ?? sender;
  return inboundKey(isGroup(chat) ? chat : author, author, id);
}

function storedOf({ chat, sender, alternative, lid, id, at }: Source): Stored {
  const from = personName(sender, alternative);
  return {
    chat: isGroup(chat) ? chat : personAddress(chat),
    from,
    ...(lid === undefined || isLid(from) ? {} : { also: lid }),
    id,
    at,
  };
}

function rawMessage(source: Source, message: Uint8Array): RawInbound {
  const stored: Stored = { ...storedOf(source), message: Buffer.from(message).toString('base64') };
  return {
    key: keyOf(source),
    kind: MESSAGE,
    payload: Buffer.from(JSON.stringify(stored)),
    content: contentOf(message),
  };
}

function rawPlaceholder(source: Source): RawInbound {
  const standsFor = keyOf(source);
  return {
    key: `${standsFor}|${UNDECRYPTABLE}`,
    kind: UNDECRYPTABLE,
    payload: Buffer.from(JSON.stringify(storedOf(source))),
    standsFor,
  };
}

/** The message without what is drawn anew for each one. */
function contentOf(message: Uint8Array): Uint8Array {
  const {
    messageContextInfo: _drawn,
    senderKeyDistributionMessage: _key,
    ...said
  } = proto.Message.decode(message);
  return proto.Message.encode(said).finish();
}

/** False for messages that only carry keys or context. */
function isContent(message: proto.IMessage): boolean {
  return Object.entries(message).some(
    ([field, value]) =>
      value !== null &&
      value !== undefined &&
      field !== 'senderKeyDistributionMessage' &&
      field !== 'messageContextInfo',
  );
}
