const list = document.getElementById('mails');
const shown = document.getElementById('mail');
const line = document.getElementById('line');
let chosen;
let known = '';

function el(tag, props, ...content) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...content);
  return node;
}

/** Mails may say anything: their words only ever become text nodes, their markup stays in a frame that can do nothing. */
function show(mail) {
  chosen = mail.id;
  const links = [...new Set(mail.text.match(/https?:\/\/[^\s<>"]+/g) ?? [])];
  shown.replaceChildren(
    el('h2', {}, mail.subject),
    el('p', { className: 'dim' }, `${mail.from} → ${mail.to}, ${new Date(mail.at).toLocaleTimeString()}`),
    el(
      'ul',
      { className: 'links' },
      ...links.map(href =>
        el('li', {}, el('a', { href, rel: 'noopener noreferrer', target: '_blank' }, href)),
      ),
    ),
    el('iframe', { title: 'The mail as it looks', sandbox: '', src: `/mails/${mail.id}/html` }),
    el('details', {}, el('summary', {}, 'As plain text'), el('pre', {}, mail.text)),
  );
  for (const button of list.querySelectorAll('button'))
    button.setAttribute('aria-current', String(button.dataset.id === chosen));
}

function entry(mail) {
  const button = el('button', { type: 'button', onclick: () => show(mail) });
  button.dataset.id = mail.id;
  button.setAttribute('aria-current', String(mail.id === chosen));
  button.append(el('strong', {}, mail.subject), el('span', { className: 'dim' }, mail.to));
  return el('li', {}, button);
}

async function look() {
  try {
    const { data } = await (await fetch('/mails')).json();
    const ids = data.map(mail => mail.id).join();
    line.textContent = data.length === 0 ? 'No mail yet.' : `${data.length} caught.`;
    if (ids === known) return;
    known = ids;
    list.replaceChildren(...data.toReversed().map(entry));
    if (chosen === undefined && data.length > 0) show(data.at(-1));
  } catch {
    line.textContent = 'The mail catcher is away; this page waits for it.';
  }
}

setInterval(look, 1500);
void look();
