import * as api from './api.js';
import { el, say, set } from './dom.js';

const SLOW_MS = 3000;

/** Switches that make life harder for whoever talks to this phone or through its linked devices. */
export function createTrouble(number) {
  const message = el('p', { class: 'help', role: 'status' });
  let offline = [];
  const off = toggle('Switched off', 'Messages wait until it is on again.', on =>
    api.faults({ offline: on ? [...offline, number] : offline.filter(one => one !== number) }),
  );
  const slow = toggle('Slow line', 'Everything takes three seconds longer.', on =>
    api.faults({ number, latency_ms: on ? SLOW_MS : null }),
  );
  const restricted = toggle('Restricted', 'WhatsApp refuses what its linked devices send (463).', on =>
    api.faults({ number, nack: on ? { code: 463 } : null }),
  );
  const cut = el(
    'button',
    { type: 'button', onclick: () => void run(() => api.faults({ number, cut: true })) },
    'Cut the line once',
  );
  const unlink = el(
    'button',
    { type: 'button', onclick: () => void run(() => api.unlink(number)) },
    'Unlink all devices',
  );
  const node = el(
    'details',
    { class: 'trouble' },
    el('summary', {}, 'Make trouble'),
    off.node,
    slow.node,
    restricted.node,
    el('div', { class: 'row' }, cut, unlink),
    message,
  );

  function toggle(name, help, apply) {
    const button = el('button', {
      type: 'button',
      role: 'switch',
      'aria-checked': 'false',
      class: 'switch',
      'aria-label': name,
    });
    const show = on => set(button, { 'aria-checked': String(on) });
    const flip = async () => {
      const on = button.getAttribute('aria-checked') !== 'true';
      show(on);
      if (!(await run(() => apply(on)))) show(!on);
    };
    button.addEventListener('click', () => void flip());
    const words = el('span', {}, el('strong', {}, name), el('span', { class: 'help' }, help));
    return {
      node: el('div', { class: 'setting' }, words, button),
      show,
    };
  }

  async function run(work) {
    say(message, '');
    try {
      await work();
      return true;
    } catch (refusal) {
      say(message, refusal.message);
      return false;
    }
  }

  function update(phone, world) {
    const own = world.faults.numbers[number] ?? {};
    offline = world.faults.offline;
    off.show(!phone.online);
    slow.show((own.latency_ms ?? 0) > 0);
    restricted.show(own.nack !== undefined);
    set(unlink, { disabled: phone.linked.length === 0 });
    set(cut, { disabled: !phone.linked.some(device => device.connected) });
    node.classList.toggle('active', !phone.online || own.latency_ms > 0 || own.nack !== undefined);
  }

  return { node, update };
}
