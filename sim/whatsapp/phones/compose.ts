import type { proto } from 'baileys';
import { deliver } from '../server/delivery.ts';
import type { Group } from '../server/groups.ts';
import { type KeyBundle, takeBundle } from '../server/prekeys.ts';
import { type Stanza, seconds, stanza } from '../wire/stanza.ts';
import { Refusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { type Account, type Companion, e164, lid, pn, type SentMessage, whenOnline } from './account.ts';
import type { Enc } from './phone.ts';
import { reportDelivered, reportRead } from './reports.ts';

/** A chat that a phone can write to. */
export type Chat = { group: Group } | { peer: Account };

type Reader = { account: Account; companion: Companion };
type Again = { id: string; sent: SentMessage; count: number; bundle: KeyBundle | undefined };

const MAX_SENT = 1000;
const MAX_TEXT = 65_536;

/**
 * The owner of a phone writes a text. Other phones get it in the clear, as their mutual encryption is not what is
 * tested here; each companion concerned gets it encrypted. Returns the message id at once.
 */
export function compose(world: World, author: Account, chat: Chat, text: string): string {
  if (text.length === 0 || text.length > MAX_TEXT)
    throw new Refusal(422, `A text has 1 to ${MAX_TEXT} characters.`);
  const group = 'group' in chat ? chat.group : undefined;
  if (group && !group.members.includes(author)) throw new Refusal(409, 'This number is not in that group.');
  const id = world.random.messageId();
  const name = 'group' in chat ? chat.group.id : e164(chat.peer);
  const sent: SentMessage = {
    chat: 'group' in chat ? chat.group.id : pn(chat.peer),
    group: group?.id,
    text,
    retries: 0,
  };
  remember(author, id, sent);
  author.screen.send(name, { id, from: e164(author), text, wireChat: sent.chat }, 'waiting');
  whenOnline(world, author, () => {
    author.screen.mark(name, id, 'sent', e164(author), 0);
    for (const reader of readersOf(author, chat)) showOnPhone(world, author, reader, id, sent);
    author.phone.inBackground(() => encryptForCompanions(world, author, chat, id, sent));
  });
  return id;
}

/** Sends one message again to one companion: with its own keys when it gave some, else as to a new device. */
export async function composeAgain(
  world: World,
  author: Account,
  reader: Reader,
  again: Again,
): Promise<void> {
  const { id, sent, count, bundle } = again;
  const address = lid(reader.account, reader.companion.id);
  await author.phone.inTurn(async () => {
    await author.phone.forget(address);
    if (bundle) await author.phone.meet(address, bundle);
    else await introduce(world, author, reader);
    const content: proto.IMessage = { conversation: sent.text };
    if (sent.group) {
      const { senderKey } = await author.phone.encryptForGroup(sent.group, content);
      Object.assign(content, senderKey);
      author.phone.firstInGroup(sent.group, address);
    }
    const enc = await author.phone.encrypt(address, forReader(author, reader, sent, content));
    deliver(world, reader.account, reader.companion, messageNode(author, reader, id, sent, [enc], count));
  });
}

function readersOf(author: Account, chat: Chat): Account[] {
  const all = 'group' in chat ? chat.group.members : [chat.peer];
  return all.filter(account => account !== author);
}

function remember(author: Account, id: string, sent: SentMessage): void {
  author.sent.set(id, sent);
  if (author.sent.size <= MAX_SENT) return;
  const oldest = author.sent.keys().next();
  if (!oldest.done) author.sent.delete(oldest.value);
}

function showOnPhone(world: World, author: Account, reader: Account, id: string, sent: SentMessage): void {
  const chat = sent.group ?? e164(author);
  whenOnline(world, reader, () => {
    reader.screen.receive(chat, {
      id,
      from: e164(author),
      text: sent.text,
      wireChat: sent.group ?? pn(reader),
    });
    if (reader.habits.autoDelivered) reportDelivered(world, reader, author, sent.group ?? pn(reader), id);
    if (reader.habits.autoRead) reportRead(world, reader, chat);
  });
}

async function encryptForCompanions(
  world: World,
  author: Account,
  chat: Chat,
  id: string,
  sent: SentMessage,
): Promise<void> {
  const content: proto.IMessage = { conversation: sent.text };
  const sealed = sent.group ? await author.phone.encryptForGroup(sent.group, content) : undefined;
  for (const account of [author, ...readersOf(author, chat)]) {
    for (const companion of account.companions.values()) {
      const reader = { account, companion };
      await introduce(world, author, reader);
      const encs: Enc[] = [];
      const address = lid(account, companion.id);
      if (!sealed) encs.push(await author.phone.encrypt(address, forReader(author, reader, sent, content)));
      else {
        const first = author.phone.firstInGroup(sent.chat, address);
        if (first) encs.push(await author.phone.encrypt(address, sealed.senderKey));
        encs.push(sealed.enc);
      }
      deliver(world, account, companion, messageNode(author, reader, id, sent, encs));
    }
  }
}

/** Makes sure that the phone can write to a companion. Inside the phone's turn only. */
export async function introduce(
  world: World,
  author: Account,
  { account, companion }: Reader,
): Promise<void> {
  const address = lid(account, companion.id);
  if (await author.phone.hasPeer(address)) return;
  const bundle = await takeBundle(world, { account, device: companion.id });
  if (bundle) await author.phone.meet(address, bundle);
}

/** Own companions get a copy that names the chat, as they are not its recipient. */
function forReader(
  author: Account,
  { account }: Reader,
  sent: SentMessage,
  content: proto.IMessage,
): proto.IMessage {
  if (account !== author || sent.group) return content;
  return { deviceSentMessage: { destinationJid: sent.chat, message: content } };
}

function messageNode(
  author: Account,
  { account }: Reader,
  id: string,
  sent: SentMessage,
  encs: Enc[],
  count?: number,
): Stanza {
  const common = { id, t: seconds(), type: 'text', notify: author.name };
  const attributes = sent.group
    ? {
        ...common,
        from: sent.group,
        participant: lid(author),
        participant_pn: pn(author),
        addressing_mode: 'lid',
      }
    : {
        ...common,
        from: pn(author),
        sender_lid: lid(author),
        recipient: account === author ? sent.chat : undefined,
        addressing_mode: 'pn',
      };
  const content = encs.map(enc =>
    stanza('enc', { v: '2', type: enc.type, count: count?.toString() }, Buffer.from(enc.ciphertext)),
  );
  return stanza('message', attributes, content);
}
