import { type Account, e164 } from '../phones/account.ts';
import type { ScreenMessage } from '../phones/screen.ts';
import { type Group, groupsOf } from '../server/groups.ts';
import type { World } from '../world/world.ts';

export type MessageView = Omit<ScreenMessage, 'wireChat'>;
export type ChatView = {
  /** The other person's '+' number, or the group id. */
  id: string;
  name: string;
  kind: 'person' | 'group';
  members?: { number: string; name: string }[];
  unread: number;
  typing: string[];
  messages: MessageView[];
};
type LinkedView = { device: number; platform: string; since: string; connected: boolean };
export type PhoneView = {
  number: string;
  name: string;
  lid: string;
  online: boolean;
  auto_delivered: boolean;
  auto_read: boolean;
  linked: LinkedView[];
  chats: ChatView[];
};
export type GroupView = { id: string; subject: string; members: { number: string; name: string }[] };

/** All handsets as their owners see them, with at most `messages` latest bubbles per chat. */
export function phonesView(world: World, messages = Number.POSITIVE_INFINITY): PhoneView[] {
  return [...world.accounts.values()].map(account => phoneView(world, account, messages));
}

export function phoneView(world: World, account: Account, messages = Number.POSITIVE_INFINITY): PhoneView {
  return {
    number: e164(account),
    name: account.name,
    lid: account.lid,
    online: !world.faults.isOffline(account.digits),
    auto_delivered: account.habits.autoDelivered,
    auto_read: account.habits.autoRead,
    linked: [...account.companions.values()].map(({ id, platform, since, connection }) => ({
      device: id,
      platform,
      since: since.toISOString(),
      connected: connection?.live ?? false,
    })),
    chats: chatsOf(world, account, messages),
  };
}

export function groupView(group: Group): GroupView {
  return { id: group.id, subject: group.subject, members: membersOf(group) };
}

/** Chats with messages first, the latest on top, then groups that are still silent. */
function chatsOf(world: World, account: Account, messages: number): ChatView[] {
  const written = [...account.screen.chats()]
    .reverse()
    .map(([id, all]) => chatView(world, account, id, all, messages));
  const known = new Set(written.map(chat => chat.id));
  const silent = groupsOf(world, account).filter(group => !known.has(group.id));
  return [...written, ...silent.map(group => chatView(world, account, group.id, [], messages))];
}

function chatView(
  world: World,
  account: Account,
  id: string,
  all: readonly ScreenMessage[],
  messages: number,
): ChatView {
  const group = world.groups.get(id);
  const shown = messages < all.length ? all.slice(-messages) : all;
  return {
    id,
    name: group?.subject ?? world.accounts.get(id.slice(1))?.name ?? id,
    kind: group ? 'group' : 'person',
    ...(group ? { members: membersOf(group) } : {}),
    unread: all.filter(message => !message.outgoing && message.tick !== 'read').length,
    typing: account.screen.typing(id),
    messages: shown.map(({ wireChat: _wire, ...message }) => ({ ...message })),
  };
}

function membersOf(group: Group): { number: string; name: string }[] {
  return group.members.map(member => ({ number: e164(member), name: member.name }));
}
