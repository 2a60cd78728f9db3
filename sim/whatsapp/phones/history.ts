import { deflateSync } from 'node:zlib';
import { proto } from 'baileys';
import { deliver } from '../server/delivery.ts';
import { groupsOf } from '../server/groups.ts';
import { isGroupId, pnAddress, seconds, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import { type Account, type Companion, lid, pn } from './account.ts';
import { introduce } from './compose.ts';
import type { ScreenMessage } from './screen.ts';

const KEPT_PER_CHAT = 20;
const { HistorySyncType } = proto.HistorySync;
const { Type } = proto.Message.ProtocolMessage;

/**
 * The phone hands a new companion its state: an app-state key, then its chats and the names of its people. Small
 * enough to travel inside the messages, so no media host is needed.
 */
export function handOver(world: World, account: Account, companion: Companion): void {
  if (companion.introduced || !world.history) return;
  companion.introduced = true;
  account.phone.inBackground(async () => {
    await introduce(world, account, { account, companion });
    await tell(world, account, companion, {
      type: Type.APP_STATE_SYNC_KEY_SHARE,
      appStateSyncKeyShare: keyShare(world),
    });
    await tell(world, account, companion, notice(HistorySyncType.INITIAL_BOOTSTRAP, chats(world, account)));
    await tell(world, account, companion, notice(HistorySyncType.PUSH_NAME, names(world)));
  });
}

/** A message between devices of one account: category `peer`, no chat. */
async function tell(
  world: World,
  account: Account,
  companion: Companion,
  protocolMessage: proto.Message.IProtocolMessage,
): Promise<void> {
  const enc = await account.phone.encrypt(lid(account, companion.id), { protocolMessage });
  const attributes = {
    id: world.random.messageId(),
    from: pn(account),
    sender_lid: lid(account),
    addressing_mode: 'pn',
    category: 'peer',
    type: 'text',
    t: seconds(),
  };
  const content = [stanza('enc', { v: '2', type: enc.type }, Buffer.from(enc.ciphertext))];
  deliver(world, account, companion, stanza('message', attributes, content));
}

function notice(
  syncType: proto.HistorySync.HistorySyncType,
  history: Partial<proto.IHistorySync>,
): proto.Message.IProtocolMessage {
  const encoded = proto.HistorySync.encode({ syncType, progress: 100, ...history }).finish();
  return {
    type: Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: {
      syncType: syncType as number as proto.Message.HistorySyncType,
      progress: 100,
      chunkOrder: 1,
      initialHistBootstrapInlinePayload: deflateSync(encoded),
    },
  };
}

function keyShare(world: World): proto.Message.IAppStateSyncKeyShare {
  const keyData = {
    keyData: world.random.bytes(32),
    fingerprint: { rawId: 1, currentIndex: 0 },
    timestamp: Date.now(),
  };
  return { keys: [{ keyId: { keyId: world.random.bytes(6) }, keyData }] };
}

function chats(world: World, account: Account): Partial<proto.IHistorySync> {
  const silent = groupsOf(world, account).filter(group => !account.screen.chats().has(group.id));
  const conversations = [
    ...[...account.screen.chats()].map(([id, messages]) => conversation(world, id, messages)),
    ...silent.map(group => ({ id: group.id, name: group.subject })),
  ];
  const people = [...world.accounts.values()];
  const phoneNumberToLidMappings = people.map(one => ({ pnJid: pn(one), lidJid: lid(one) }));
  return { conversations, phoneNumberToLidMappings };
}

function conversation(world: World, chat: string, messages: readonly ScreenMessage[]): proto.IConversation {
  const group = world.groups.get(chat);
  const remoteJid = isGroupId(chat) ? chat : pnAddress(chat.slice(1));
  return {
    id: remoteJid,
    name: group?.subject ?? world.accounts.get(chat.slice(1))?.name ?? chat,
    messages: messages.slice(-KEPT_PER_CHAT).map(({ id, from, text, at, outgoing }) => ({
      message: {
        key: { remoteJid, id, fromMe: outgoing, ...(group ? { participant: pnAddress(from.slice(1)) } : {}) },
        message: { conversation: text },
        messageTimestamp: Math.floor(Date.parse(at) / 1000),
      },
    })),
  };
}

function names(world: World): Partial<proto.IHistorySync> {
  return { pushnames: [...world.accounts.values()].map(one => ({ id: pn(one), pushname: one.name })) };
}
