import type { proto } from 'baileys';
import { flipLastByte } from '../server/delivery.ts';
import { bytesOf, readAddress, type Stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { type Account, accountOf, e164, lid, whenOnline } from './account.ts';
import { reportDelivered, reportRead } from './reports.ts';
import { askAgain } from './retry.ts';
import { type Reading, read } from './text.ts';

/** A companion's message at the door of a phone. */
export type Arrival = {
  sender: Account;
  /** The sending device. */
  device: number;
  node: Stanza;
  encs: Stanza[];
};

type Opened = { own: boolean; chat: string; wireChat: string; content: proto.IMessage };

/** Hands a message to a phone: decrypted in turn, then shown, counted in the ledger and reported to the sender. */
export function arrive(world: World, account: Account, arrival: Arrival): void {
  const due = Date.now() + world.faults.rate(account.digits, 'latency_ms');
  whenOnline(world, account, () => {
    account.phone.inBackground(async () => {
      await until(due);
      await take(world, account, arrival);
    });
  });
}

async function take(world: World, account: Account, arrival: Arrival): Promise<void> {
  const { sender, device, node } = arrival;
  const group = world.groups.get(node.attrs.to ?? '')?.id;
  const author = lid(sender, device);
  const readings: proto.Message[] = [];
  try {
    for (const enc of damagedIfDue(world, account, arrival.encs)) {
      readings.push(await account.phone.decrypt(author, group, enc));
    }
  } catch (error) {
    if (isRepeated(error)) return;
    await askAgain(world, account, arrival);
    return;
  }
  for (const message of readings) {
    const opened = open(world, account, arrival, group, message);
    if (opened) show(world, account, arrival, opened, read(opened.content));
  }
}

/** Puts the content into the chat that this phone's owner sees it in; an own companion's copy names the chat inside. */
function open(
  world: World,
  account: Account,
  { sender, node }: Arrival,
  group: string | undefined,
  message: proto.Message,
): Opened | undefined {
  const own = sender === account;
  const wireChat = message.deviceSentMessage?.destinationJid ?? node.attrs.to ?? '';
  const content = message.deviceSentMessage?.message ?? message;
  if (group) return { own, chat: group, wireChat: group, content };
  if (!own) return { own, chat: e164(sender), wireChat, content };
  const peer = accountOf(world, readAddress(wireChat));
  return peer && { own, chat: e164(peer), wireChat, content };
}

function show(world: World, account: Account, arrival: Arrival, opened: Opened, reading: Reading): void {
  const { sender, node } = arrival;
  const id = node.attrs.id ?? '';
  const from = e164(sender);
  if (reading.kind === 'edit') account.screen.edit(opened.chat, reading.id, from, reading.text);
  if (reading.kind !== 'text') return;
  const shown = { id, from, text: reading.text, wireChat: opened.wireChat };
  const toSelf = opened.own && opened.chat === from;
  if (opened.own && !toSelf) {
    account.screen.send(opened.chat, shown, 'sent');
    return;
  }
  account.screen.receive(opened.chat, shown);
  const chat = opened.wireChat.endsWith('@g.us') ? opened.chat : e164(account);
  world.ledger.record({ id, chat, from, to: e164(account), text: reading.text });
  if (account.habits.autoDelivered) reportDelivered(world, account, sender, opened.wireChat, id);
  if (account.habits.autoRead) reportRead(world, account, opened.chat);
}

/** libsignal's words for a ciphertext that it has opened before: an official app drops it in silence. */
function isRepeated(error: unknown): boolean {
  return error instanceof Error && /Key used already|old counter/i.test(error.message);
}

function damagedIfDue(world: World, account: Account, encs: Stanza[]): Stanza[] {
  if (!world.faults.spend(account.digits, 'corrupt_outbound')) return encs;
  return encs.map(enc => ({ ...enc, content: flipLastByte(bytesOf(enc)) }));
}

async function until(due: number): Promise<void> {
  const left = due - Date.now();
  if (left > 0) await new Promise(resolve => setTimeout(resolve, left));
}
