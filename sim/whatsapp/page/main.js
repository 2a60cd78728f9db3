import { follow } from './api.js';
import { el, reconcile, say, set } from './dom.js';
import { createHandset } from './handset.js';

const phones = document.getElementById('phones');
const picker = document.getElementById('picker');
const line = document.getElementById('line');
const handsets = new Map();
let shown;

follow(show, up => {
  say(line, up ? 'Live' : 'The simulator is away; this page waits for it.');
  line.classList.toggle('down', !up);
});

let last;

// A chat that lay open in a hidden tab is read once somebody looks.
document.addEventListener('visibilitychange', () => last && show(last));

function show(state) {
  last = state;
  const numbers = state.phones.map(phone => phone.number);
  if (!numbers.includes(shown)) shown = numbers[0];
  reconcile(
    phones,
    state.phones,
    phone => phone.number,
    phone => {
      const handset = createHandset(phone, () => pick(phone.number));
      handsets.set(phone.number, handset);
      return handset.node;
    },
    (_node, phone) => handsets.get(phone.number).update(phone, state),
  );
  for (const number of handsets.keys()) if (!numbers.includes(number)) handsets.delete(number);
  reconcile(picker, state.phones, phone => phone.number, pickButton, updatePickButton);
  markShown();
  scanFromAddress();
}

/** On a narrow screen one phone is shown at a time. */
function pick(number) {
  shown = number;
  markShown();
}

function markShown() {
  for (const node of phones.children) node.classList.toggle('aside', node.dataset.key !== shown);
  for (const node of picker.children) set(node, { 'aria-pressed': String(node.dataset.key === shown) });
}

function pickButton(phone) {
  return el('button', { type: 'button', onclick: () => pick(phone.number) });
}

function updatePickButton(node, phone) {
  const unread = phone.chats.reduce((sum, chat) => sum + chat.unread, 0);
  say(node, unread > 0 ? `${phone.name} (${unread} new)` : phone.name);
}

/** A pairing code on the clipboard may be pasted anywhere: the phone that shows its linked devices reads it, else the first. */
document.addEventListener('paste', event => {
  const text = event.clipboardData?.getData('text') ?? '';
  const inField = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
  const open = [...handsets.values()].find(handset => handset.wantsCode());
  const picture = [...(event.clipboardData?.files ?? [])].find(file => file.type.startsWith('image/'));
  if (inField || (!isPairingCode(text) && !(open && picture))) return;
  event.preventDefault();
  const handset = open ?? handsets.get(shown) ?? [...handsets.values()][0];
  if (picture && !isPairingCode(text)) handset?.scanPicture(picture);
  else handset?.scan(text);
});

function isPairingCode(text) {
  return /^(https:\/\/wa\.me\/settings\/linked_devices#)?[^,\s]+,[^,\s]+,[^,\s]+,[^,\s]+/.test(text.trim());
}

/** `?scan=<code>`, with `&phone=` when it is not the first one's turn. */
let addressRead = false;
function scanFromAddress() {
  if (addressRead) return;
  addressRead = true;
  const query = new URLSearchParams(location.search);
  const code = query.get('scan');
  if (!code) return;
  history.replaceState(null, '', location.pathname);
  const wanted = (query.get('phone') ?? '').trim().replace(/^\+?/, '+');
  const number = handsets.has(wanted) ? wanted : handsets.keys().next().value;
  if (!number) return;
  pick(number);
  // A '#' that was not encoded ends the query: the rest of the code is then in the fragment.
  handsets.get(number).scan(code + (location.hash.length > 1 ? location.hash : ''));
}
