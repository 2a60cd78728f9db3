import { type Account, lid, pn } from '../phones/account.ts';
import { type Stanza, seconds, stanza } from '../wire/stanza.ts';
import { Refusal } from '../world/refusal.ts';
import type { World } from '../world/world.ts';
import { deliverToAll } from './delivery.ts';

export type Group = {
  /** '…@g.us' */
  id: string;
  subject: string;
  /** In order of joining; the first is the owner. */
  members: Account[];
  owner: Account;
  createdAt: Date;
};

const MAX_MEMBERS = 1024;

export function createGroup(
  world: World,
  owner: Account,
  subject: string,
  others: Account[],
  id?: string,
): Group {
  const members = [...new Set([owner, ...others])];
  if (members.length > MAX_MEMBERS) throw new Refusal(422, `A group has at most ${MAX_MEMBERS} members.`);
  const groupId = id ?? `120363${world.random.digits(12)}@g.us`;
  const group: Group = { id: groupId, subject, members, owner, createdAt: new Date() };
  world.groups.set(group.id, group);
  for (const member of members) tellJoined(world, group, owner, member);
  world.changes.announce();
  return group;
}

export function renameGroup(world: World, group: Group, actor: Account, subject: string): void {
  group.subject = subject;
  const change = stanza('subject', { subject, s_t: seconds(), s_o: lid(actor), s_o_pn: pn(actor) });
  tellMembers(world, group, actor, group.members, change);
}

/** Adds a member; false when it is one already. */
export function addMember(world: World, group: Group, actor: Account, member: Account): boolean {
  if (group.members.includes(member)) return false;
  if (group.members.length >= MAX_MEMBERS)
    throw new Refusal(422, `A group has at most ${MAX_MEMBERS} members.`);
  const before = [...group.members];
  group.members.push(member);
  tellMembers(world, group, actor, before, stanza('add', {}, [participant(group, member)]));
  tellJoined(world, group, actor, member);
  return true;
}

/** Removes a member, who leaves by itself when it is the actor too; false when it is none. */
export function removeMember(world: World, group: Group, actor: Account, member: Account): boolean {
  if (!group.members.includes(member)) return false;
  const before = [...group.members];
  group.members = group.members.filter(one => one !== member);
  tellMembers(world, group, actor, before, stanza('remove', {}, [participant(group, member)]));
  return true;
}

/** The group as queries and notifications show it. Only members may see it. */
export function groupNode(group: Group): Stanza {
  const created = seconds(group.createdAt);
  const attributes = {
    id: group.id.split('@')[0],
    subject: group.subject,
    s_t: created,
    s_o: lid(group.owner),
    s_o_pn: pn(group.owner),
    creation: created,
    creator: lid(group.owner),
    creator_pn: pn(group.owner),
    addressing_mode: 'lid',
    size: String(group.members.length),
  };
  return stanza(
    'group',
    attributes,
    group.members.map(member => participant(group, member)),
  );
}

export function groupsOf(world: World, account: Account): Group[] {
  return [...world.groups.values()].filter(group => group.members.includes(account));
}

function participant(group: Group, member: Account): Stanza {
  const type = member === group.owner ? 'superadmin' : undefined;
  return stanza('participant', { jid: lid(member), phone_number: pn(member), type });
}

/** A newcomer gets the whole group, so that its client can show it without asking. */
function tellJoined(world: World, group: Group, actor: Account, member: Account): void {
  const type = actor === member ? 'new' : 'add';
  tellMembers(world, group, actor, [member], stanza('create', { type }, [groupNode(group)]));
}

function tellMembers(world: World, group: Group, actor: Account, readers: Account[], change: Stanza): void {
  for (const reader of readers) {
    const attributes = {
      from: group.id,
      type: 'w:gp2',
      id: world.random.digits(10),
      participant: lid(actor),
      participant_pn: pn(actor),
      addressing_mode: 'lid',
      notify: actor.name,
      t: seconds(),
    };
    deliverToAll(world, reader, stanza('notification', attributes, [change]));
  }
  world.changes.announce();
}
