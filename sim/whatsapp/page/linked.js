import * as api from './api.js';
import { el, icon, reconcile, say, set, time } from './dom.js';

/** The Linked devices screen: the viewfinder that reads a pairing code, the code to type, and the linked devices. */
export function createLinked(number) {
  const id = name => `${name}-${number.slice(1)}`;
  const result = el('p', { class: 'result', role: 'status' });
  const paste = el('textarea', {
    id: id('qr'),
    rows: '2',
    spellcheck: 'false',
    autocomplete: 'off',
    oninput: () => scanWhenWhole(),
  });
  const scanButton = el('button', { type: 'submit', class: 'wide accent' }, 'Scan');
  const finder = el(
    'div',
    { class: 'finder', 'aria-hidden': 'true' },
    el('span', { class: 'beam' }),
    el('span', { class: 'corners' }),
  );
  const scanForm = el(
    'form',
    { onsubmit: event => submit(event, () => scan(paste.value)) },
    finder,
    el('label', { for: id('qr') }, 'Paste the code that Convoke shows'),
    el(
      'p',
      { class: 'help', id: id('help') },
      'Ctrl-V anywhere on this screen works, and so does dropping the code here.',
    ),
    paste,
    scanButton,
  );
  set(paste, { 'aria-describedby': id('help') });

  const code = el('input', {
    id: id('code'),
    maxlength: '9',
    autocomplete: 'off',
    autocapitalize: 'characters',
    spellcheck: 'false',
    placeholder: 'ABCD-1234',
  });
  const codeForm = el(
    'form',
    { class: 'code', onsubmit: event => submit(event, () => enterCode()) },
    el('label', { for: id('code') }, 'Or enter the code of eight characters'),
    el('div', { class: 'row' }, code, el('button', { type: 'submit' }, 'Link')),
  );

  const list = el('ul', { class: 'devices', 'aria-label': 'Linked devices' });
  const none = el('p', { class: 'help' }, 'No device is linked yet.');
  const node = el(
    'div',
    { class: 'view scroll', tabindex: '0', role: 'region', 'aria-label': 'Linked devices' },
    el('h4', {}, 'Link a device'),
    scanForm,
    result,
    codeForm,
    el('h4', {}, 'Linked to this phone'),
    none,
    list,
  );

  function submit(event, work) {
    event.preventDefault();
    return work();
  }

  /** A pasted code needs no further click. */
  function scanWhenWhole() {
    if (paste.value.split(',').length >= 4) void scan(paste.value);
  }

  async function scan(text) {
    paste.value = text.trim();
    if (paste.value === '') return tell('Paste the code first.', false);
    await attempt(() => api.scan(number, paste.value), 'Got it. The device is linked.');
    paste.value = '';
  }

  async function enterCode() {
    if (await attempt(() => api.linkCode(number, code.value), 'That is the code. The device is linked.'))
      code.value = '';
  }

  async function attempt(work, words) {
    finder.classList.add('looking');
    set(scanButton, { disabled: true });
    tell('Looking…', true);
    try {
      await work();
      tell(words, true);
      finder.classList.add('found');
      setTimeout(() => finder.classList.remove('found'), 1500);
      return true;
    } catch (refusal) {
      tell(refusal.message, false);
      return false;
    } finally {
      finder.classList.remove('looking');
      set(scanButton, { disabled: false });
    }
  }

  /** Some browsers can read a QR code from a picture themselves. */
  async function scanPicture(file) {
    if (!('BarcodeDetector' in window)) {
      return tell('This browser cannot read pictures of codes. Copy the code as text instead.', false);
    }
    const detector = new window.BarcodeDetector({ formats: ['qr_code'] });
    const [found] = await detector.detect(await createImageBitmap(file));
    if (found) return scan(found.rawValue);
    return tell('There is no code in that picture.', false);
  }

  function tell(words, good) {
    say(result, words);
    result.classList.toggle('bad', !good);
  }

  function update(phone) {
    set(none, { hidden: phone.linked.length > 0 });
    reconcile(
      list,
      phone.linked,
      device => String(device.device),
      device => row(number, device, tell),
      fill,
    );
  }

  return { node, update, scan, scanPicture };
}

function row(number, device, tell) {
  const remove = () =>
    api.unlink(number, device.device).then(
      () => tell(`${device.platform} is unlinked.`, true),
      refusal => tell(refusal.message, false),
    );
  const words = el(
    'span',
    { class: 'words' },
    el('span', { class: 'name' }, device.platform),
    el('span', { class: 'last' }),
  );
  const label = `Unlink ${device.platform}, device ${device.device}`;
  return el(
    'li',
    {},
    icon('laptop'),
    words,
    el('button', { type: 'button', 'aria-label': label, onclick: remove }, 'Unlink'),
  );
}

function fill(item, device) {
  const since = `${new Date(device.since).toLocaleDateString([], { dateStyle: 'medium' })}, ${time(device.since)}`;
  say(
    item.querySelector('.last'),
    `${device.connected ? 'Connected now' : 'Not connected'} · since ${since}`,
  );
  item.classList.toggle('connected', device.connected);
}
