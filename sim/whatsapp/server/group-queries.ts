import { type Account, accountOf } from '../phones/account.ts';
import { bytesOf, children, readAddress, type Stanza, stanza } from '../wire/stanza.ts';
import type { World } from '../world/world.ts';
import {
  addMember,
  createGroup,
  type Group,
  groupNode,
  groupsOf,
  removeMember,
  renameGroup,
} from './groups.ts';
import type { Answer } from './queries.ts';

/** The `w:g2` queries of a companion; it sees and changes only groups that its account is in. */
export function answerGroupQuery(world: World, account: Account, node: Stanza): Answer {
  const asked = children(node)[0];
  if (!asked) return { error: 400 };
  if (asked.tag === 'participating') {
    return [stanza('groups', {}, groupsOf(world, account).map(groupNode))];
  }
  if (asked.tag === 'create') return create(world, account, asked);
  if (asked.tag === 'leave') return leave(world, account, asked);
  const group = world.groups.get(node.attrs.to ?? '');
  if (!group) return { error: 404 };
  if (!group.members.includes(account)) return { error: 403 };
  return change(world, account, group, asked);
}

function change(world: World, account: Account, group: Group, asked: Stanza): Answer {
  const named = children(asked, 'participant').map(one => ({
    jid: one.attrs.jid,
    account: accountOf(world, readAddress(one.attrs.jid)),
  }));
  switch (asked.tag) {
    case 'query':
      return [groupNode(group)];
    case 'subject':
      renameGroup(world, group, account, bytesOf(asked).toString());
      return [];
    case 'add':
    case 'remove': {
      const act = asked.tag === 'add' ? addMember : removeMember;
      const done = named.map(({ jid, account: member }) => {
        const error = member && act(world, group, account, member) ? undefined : '404';
        return stanza('participant', { jid, error });
      });
      return [stanza(asked.tag, {}, done)];
    }
    default:
      return [];
  }
}

function create(world: World, account: Account, asked: Stanza): Answer {
  const others = children(asked, 'participant').map(one => accountOf(world, readAddress(one.attrs.jid)));
  const known = others.filter(one => one !== undefined);
  return [groupNode(createGroup(world, account, asked.attrs.subject ?? '', known))];
}

function leave(world: World, account: Account, asked: Stanza): Answer {
  const left = children(asked, 'group').map(one => one.attrs.id ?? '');
  for (const id of left) {
    const group = world.groups.get(id);
    if (group) removeMember(world, group, account, account);
  }
  return [
    stanza(
      'leave',
      {},
      left.map(id => stanza('group', { id })),
    ),
  ];
}
