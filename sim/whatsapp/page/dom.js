/** Small tools for building the page. Texts only ever become text nodes, so nobody's message can become markup. */

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [props] `on…` listens, `class` and `aria-…` are attributes; false and undefined are left out.
 * @param {...(Node | string | undefined | null)} content
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...content) {
  const node = document.createElement(tag);
  set(node, props);
  node.append(...content.filter(one => one !== undefined && one !== null));
  return node;
}

export function set(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === false || value === undefined || value === null) node.removeAttribute(name);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
}

/** Writes a text only when it differs, so that screen readers are not told twice. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Brings the children of a list in line with its items; what stays keeps its focus and its state. */
export function reconcile(parent, items, keyOf, create, update) {
  const known = new Map([...parent.children].map(child => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = known.get(key);
    known.delete(key);
    if (!child) {
      child = create(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const gone of known.values()) gone.remove();
}

const SHAPES = {
  back: 'M15 5l-7 7 7 7',
  link: 'M9 3h6a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM11 18h2',
  send: 'M4 12l16-8-6 16-3-6z',
  laptop: 'M5 6h14v9H5zM3 18h18',
  waiting: 'M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM12 9v3.500l2 1.500',
  sent: 'M5 12.500l4 4L18 7',
  delivered: 'M2 12.500l4 4L14 7M10.500 15l1.500 1.500L21 7',
  read: 'M2 12.500l4 4L14 7M10.500 15l1.500 1.500L21 7',
};

export function icon(name, className = '') {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  set(svg, { viewBox: '0 0 24 24', 'aria-hidden': 'true', class: `icon ${className}` });
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', SHAPES[name]);
  svg.append(path);
  return svg;
}

/** Hours and minutes on a phone's clock. */
export function time(iso) {
  const at = new Date(iso);
  return [at.getHours(), at.getMinutes()].map(part => String(part).padStart(2, '0')).join(':');
}

/** +15550000001 → +1 555 000 0001, and other numbers in groups of three. */
export function grouped(number) {
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (american) return `+1 ${american[1]} ${american[2]} ${american[3]}`;
  return number.replace(/(\d{3})(?=\d)/g, '$1 ');
}

/** A person's round picture: initials on one of six quiet colours. */
export function avatar(name) {
  const initials = name
    .replace(/[^\p{L}\p{N} ]/gu, '')
    .split(' ')
    .filter(Boolean)
    .map(word => [...word][0])
    .slice(0, 2)
    .join('');
  const sum = [...name].reduce((total, letter) => total + letter.codePointAt(0), 0);
  return el('span', { class: `avatar tone${sum % 6}`, 'aria-hidden': 'true' }, initials.toUpperCase() || '?');
}
