import { avatar, el, icon, reconcile, say, set, time } from './dom.js';

/** The list of chats, the latest on top, then the people that one could write to. */
export function createChats({ open, link }) {
  const invite = el(
    'button',
    { type: 'button', class: 'invite', onclick: link },
    icon('laptop'),
    el(
      'span',
      {},
      el('strong', {}, 'Link a device'),
      el('span', { class: 'help' }, 'Scan the code that Convoke shows.'),
    ),
  );
  const list = el('ul', { class: 'chats', 'aria-label': 'Chats' });
  const heading = el('h4', {}, 'Write to somebody new');
  const people = el('ul', { class: 'chats', 'aria-label': 'People' });
  const node = el(
    'div',
    { class: 'view scroll', tabindex: '0', role: 'region', 'aria-label': 'Chats' },
    invite,
    list,
    heading,
    people,
  );

  function update(phone, world) {
    set(invite, { hidden: phone.linked.length > 0 });
    reconcile(
      list,
      phone.chats,
      chat => chat.id,
      chat => row(chat.name, () => open(chat.id)),
      (item, chat) => fill(item, chat, world),
    );
    const known = new Set([phone.number, ...phone.chats.map(chat => chat.id)]);
    const strangers = world.phones.filter(one => !known.has(one.number));
    set(heading, { hidden: strangers.length === 0 });
    reconcile(
      people,
      strangers,
      one => one.number,
      one => row(one.name, () => open(one.number)),
      () => undefined,
    );
  }

  return { node, update };
}

function row(name, open) {
  const badge = el('span', { class: 'badge', hidden: true });
  const words = el(
    'span',
    { class: 'words' },
    el('span', { class: 'name' }, name),
    el('span', { class: 'last' }),
  );
  const aside = el('span', { class: 'aside' }, el('span', { class: 'when' }), badge);
  return el('li', {}, el('button', { type: 'button', onclick: open }, avatar(name), words, aside));
}

function fill(item, chat, world) {
  const last = chat.messages.at(-1);
  say(item.querySelector('.name'), chat.name);
  say(item.querySelector('.last'), chat.typing.length > 0 ? 'typing…' : preview(chat, last, world));
  say(item.querySelector('.when'), last ? time(last.at) : '');
  const badge = item.querySelector('.badge');
  set(badge, { hidden: chat.unread === 0 });
  say(badge, `${chat.unread} new`);
}

function preview(chat, last, world) {
  if (!last) return chat.kind === 'group' ? `${chat.members.length} members` : '';
  const author = world.phones.find(phone => phone.number === last.from)?.name.split(' ')[0];
  const who = last.outgoing ? 'You: ' : chat.kind === 'group' && author ? `${author}: ` : '';
  return `${who}${last.text}`;
}
