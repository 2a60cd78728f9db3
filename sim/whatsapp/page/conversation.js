import * as api from './api.js';
import { el, icon, reconcile, say, set, time } from './dom.js';

const QUICK = ['Yes, gladly', 'Thank you!', 'On my way', 'Sorry, I cannot come'];
const TICKS = { waiting: 'Waiting', sent: 'Sent', delivered: 'Delivered', read: 'Read' };
const TYPING_PAUSE_MS = 4000;

/** One open chat: bubbles with ticks, a hint who is typing, quick answers and the line to write in. */
export function createConversation(number) {
  let chat;
  let told = 0;
  const log = el('div', { class: 'bubbles', role: 'log', 'aria-label': 'Messages', tabindex: '0' });
  const hint = el('p', { class: 'typing', role: 'status' });
  const error = el('p', { class: 'error', role: 'alert' });
  const field = el('textarea', {
    rows: '1',
    placeholder: 'Message',
    'aria-label': 'Message',
    oninput: onInput,
    onkeydown: onKey,
  });
  const button = el('button', { type: 'submit', class: 'round accent', 'aria-label': 'Send' }, icon('send'));
  const quick = el(
    'div',
    { class: 'quick' },
    ...QUICK.map(text => el('button', { type: 'button', onclick: () => send(text) }, text)),
  );
  const form = el('form', { class: 'composer', onsubmit: onSubmit }, field, button);
  const node = el('div', { class: 'view column' }, log, hint, error, quick, form);

  async function send(text) {
    if (!chat || text.trim() === '') return;
    const to = chat.id;
    say(error, '');
    try {
      await api.send(number, to, text.trim());
      if (field.value === text) field.value = '';
    } catch (refusal) {
      say(error, refusal.message);
    }
    told = 0;
    grow();
  }

  /** Not on touch screens, where the keyboard would cover the chat. */
  function focus() {
    if (matchMedia('(pointer: fine)').matches) field.focus({ preventScroll: true });
  }

  function onSubmit(event) {
    event.preventDefault();
    void send(field.value);
  }

  function onKey(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send(field.value);
  }

  function onInput() {
    grow();
    const on = field.value !== '';
    if (!chat || (on && Date.now() - told < TYPING_PAUSE_MS)) return;
    told = on ? Date.now() : 0;
    api.typing(number, chat.id, on).catch(() => undefined);
  }

  function grow() {
    field.style.height = 'auto';
    field.style.height = `${Math.min(field.scrollHeight, 110)}px`;
  }

  function update(next, phone, world) {
    const switched = next?.id !== chat?.id;
    chat = next;
    if (!chat) return;
    if (switched) {
      say(error, '');
      log.replaceChildren();
    }
    const atEnd = switched || log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    reconcile(
      log,
      chat.messages,
      message => `${message.from} ${message.id}`,
      message => bubble(message, chat, world, !switched),
      (item, message) => fill(item, message, chat),
    );
    say(hint, typingWords(chat, world));
    if (atEnd) log.scrollTop = log.scrollHeight;
    if (chat.unread > 0 && phone.online && document.visibilityState === 'visible') {
      api.read(number, chat.id).catch(() => undefined);
    }
  }

  return { node, update, enter: focus };
}

function bubble(message, chat, world, fresh) {
  const author = world.phones.find(phone => phone.number === message.from)?.name ?? message.from;
  const name =
    chat.kind === 'group' && !message.outgoing ? el('span', { class: 'author' }, author) : undefined;
  const meta = el(
    'span',
    { class: 'meta' },
    el('time', { datetime: message.at }, time(message.at)),
    el('span', { class: 'tick' }),
  );
  return el(
    'div',
    { class: `bubble${message.outgoing ? ' own' : ''}${fresh ? ' fresh' : ''}` },
    name,
    el('span', { class: 'text' }),
    meta,
  );
}

function fill(item, message, chat) {
  say(item.querySelector('.text'), message.text);
  const place = item.querySelector('.tick');
  if (!message.outgoing) return;
  const others = chat.kind === 'group' ? chat.members.length - 1 : 1;
  const count =
    message.tick === 'sent' && message.delivered_to.length > 0
      ? ` to ${message.delivered_to.length} of ${others}`
      : '';
  const words = `${count ? 'Delivered' : TICKS[message.tick]}${count}`;
  if (place.dataset.words === words) return;
  place.dataset.words = words;
  set(place, { title: words });
  place.replaceChildren(icon(message.tick, message.tick), el('span', { class: 'unseen' }, words));
}

function typingWords(chat, world) {
  if (chat.typing.length === 0) return '';
  const names = chat.typing.map(
    one => world.phones.find(phone => phone.number === one)?.name.split(' ')[0] ?? one,
  );
  return `${names.join(' and ')} ${names.length > 1 ? 'are' : 'is'} typing…`;
}
