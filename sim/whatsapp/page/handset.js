import { createChats } from './chats.js';
import { createConversation } from './conversation.js';
import { el, grouped, icon, say, set, time } from './dom.js';
import { createLinked } from './linked.js';
import { createTrouble } from './trouble.js';

/**
 * One phone: a status bar, a title with its buttons, one of three views, and the troubles below.
 * `update` gets each new state; what the owner is doing (view, drafts) lives here.
 */
export function createHandset(first, pick) {
  let phone = first;
  let view = 'chats';
  let chatId;
  let world;

  const chats = createChats({ open: openChat, link: () => go('linked') });
  const conversation = createConversation(first.number);
  const linked = createLinked(first.number);
  const trouble = createTrouble(first.number);
  const views = { chats, chat: conversation, linked };

  const clock = el('span', {});
  const signal = el('span', { class: 'signal' });
  const back = el(
    'button',
    { type: 'button', class: 'round', 'aria-label': 'Back to the chats', onclick: () => go('chats') },
    icon('back'),
  );
  const title = el('h3', {});
  const subtitle = el('p', {});
  const devices = el(
    'button',
    {
      type: 'button',
      class: 'round',
      'aria-label': 'Linked devices',
      title: 'Linked devices',
      onclick: () => go('linked'),
    },
    icon('link'),
  );
  const off = el('div', { class: 'off' }, el('p', {}, 'Switched off'));
  const screen = el(
    'div',
    { class: 'glass' },
    el('div', { class: 'status' }, clock, signal),
    el('div', { class: 'title' }, back, el('div', { class: 'names' }, title, subtitle), devices),
    el('div', { class: 'views' }, chats.node, conversation.node, linked.node),
    off,
  );
  const heading = el('h2', { id: `name-${first.number.slice(1)}` });
  const number = el('p', { class: 'number' });
  const frame = el('div', { class: 'frame' }, screen);
  const node = el(
    'section',
    { class: 'handset', 'aria-labelledby': heading.id },
    el('div', { class: 'owner' }, heading, number),
    frame,
    trouble.node,
  );
  frame.addEventListener('dragover', event => event.preventDefault());
  frame.addEventListener('drop', event => {
    event.preventDefault();
    const picture = [...event.dataTransfer.files].find(file => file.type.startsWith('image/'));
    const text = event.dataTransfer.getData('text');
    if (text) void scan(text);
    else if (picture) void scanPicture(picture);
  });

  function go(next, id) {
    const changed = view !== next;
    view = next;
    chatId = id;
    render();
    if (changed) views[view].enter?.();
  }

  function openChat(id) {
    go('chat', id);
  }

  function scan(text) {
    pick();
    go('linked');
    return linked.scan(text);
  }

  function scanPicture(file) {
    pick();
    go('linked');
    return linked.scanPicture(file);
  }

  function update(next, state) {
    if (unreadOf(next) > unreadOf(phone)) buzz(frame);
    phone = next;
    world = state;
    render();
  }

  function render() {
    say(heading, phone.name);
    say(number, grouped(phone.number));
    say(clock, time(Date.now()));
    const connected = phone.linked.filter(device => device.connected).length;
    say(signal, phone.online ? (connected > 0 ? `${connected} linked` : 'on') : 'off');
    set(off, { hidden: phone.online });
    set(back, { hidden: view === 'chats' });
    set(devices, { hidden: view !== 'chats' });
    for (const [name, one] of Object.entries(views)) set(one.node, { hidden: name !== view });
    const chat = chatOf(phone, chatId, world);
    say(title, view === 'chats' ? 'Chats' : view === 'linked' ? 'Linked devices' : (chat?.name ?? ''));
    say(subtitle, view === 'chat' && chat ? about(chat) : '');
    chats.update(phone, world);
    linked.update(phone);
    trouble.update(phone, world);
    conversation.update(view === 'chat' ? chat : undefined, phone, world);
  }

  return { node, update, scan, scanPicture, wantsCode: () => view === 'linked' };
}

/** A chat that nobody has written in yet is made up from its person. */
function chatOf(phone, id, world) {
  const known = phone.chats.find(chat => chat.id === id);
  const person = world?.phones.find(one => one.number === id);
  if (known || !person) return known;
  return { id, name: person.name, kind: 'person', unread: 0, typing: [], messages: [] };
}

function about(chat) {
  if (chat.kind === 'person') return grouped(chat.id);
  return chat.members.map(member => member.name.split(' ')[0]).join(', ');
}

function unreadOf(phone) {
  return phone.chats.reduce((sum, chat) => sum + chat.unread, 0);
}

function buzz(frame) {
  frame.classList.remove('buzz');
  void frame.offsetWidth;
  frame.classList.add('buzz');
}
