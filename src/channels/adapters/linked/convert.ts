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

/** What a decrypted stanza brought; undefined for our own echoes, keys and what else is no message of a person. */
export function openedMessage(
  node: BinaryNode,
  plain: Uint8Array,
  self: Self,
  knownNumber?: string,
): RawInbound | undefined {
  const { id, from, participant, t, recipient } = node.attrs;
  const sender = participant ?? from;
  if (!id || !from || !sender || recipient || isSelf(sender, self) || !isConversation(from)) return undefined;
  const message = unpadRandomMax16(plain);
  if (!isContent(proto.Message.decode(message))) return undefined;
  const { participant_pn, sender_pn, participant_lid, sender_lid } = node.attrs;
  const alternative = participant_pn ?? sender_pn ?? participant_lid ?? sender_lid ?? knownNumber;
  return rawMessage(from, sender, alternative, id, Number(t ?? 0), message);
}

/** The plaintext as Baileys expects it from Signal: padded. */
export function repad(stored: Stored): Uint8Array | undefined {
  if (stored.message === undefined) return undefined;
  return Buffer.concat([Buffer.from(stored.message, 'base64'), Buffer.of(1)]);
}

/** What an upsert brought that did not come through Signal, or that could not be opened. */
export function upsertedMessage(upserted: WAMessage, self: Self): RawInbound | undefined {
  const { remoteJid: chat, fromMe, id, participant, participantAlt, remoteJidAlt } = upserted.key;
  const sender = participant || chat;
  if (fromMe || !chat || !sender || !id || isSelf(sender, self) || !isConversation(chat)) return undefined;
  const at = Number(upserted.messageTimestamp ?? 0);
  const alternative = participantAlt ?? remoteJidAlt ?? undefined;
  if (upserted.messageStubType === proto.WebMessageInfo.StubType.CIPHERTEXT) {
    const stored: Stored = { chat: personAddress(chat), from: personName(sender, alternative), id, at };
    const standsFor = inboundKey(chat, sender, id);
    const key = `${standsFor}|${UNDECRYPTABLE}`;
    return { key, kind: UNDECRYPTABLE, payload: Buffer.from(JSON.stringify(stored)), standsFor };
  }
  if (!upserted.message || !isContent(upserted.message)) return undefined;
  const message = proto.Message.encode(upserted.message).finish();
  return rawMessage(chat, sender, alternative, id, at, message);
}

function rawMessage(
  chat: string,
  sender: string,
  alternative: string | undefined,
  id: string,
  at: number,
  message: Uint8Array,
): RawInbound {
  const from = personName(sender, alternative);
  const lid = [sender, alternative].find(isLid);
  const stored: Stored = {
    chat: isGroup(chat) ? chat : personAddress(chat),
    from,
    ...(lid === undefined || isLid(from) ? {} : { also: personAddress(lid) }),
    id,
    at,
    message: Buffer.from(message).toString('base64'),
  };
  return {
    key: inboundKey(chat, sender, id),
    kind: MESSAGE,
    payload: Buffer.from(JSON.stringify(stored)),
    content: contentOf(message),
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
