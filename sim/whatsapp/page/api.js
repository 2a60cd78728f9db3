/** The control API as the page uses it; a refusal is thrown with the words to show. */
async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error('The simulator does not answer. Is it still running?');
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

const phone = number => `/phones/${encodeURIComponent(number)}`;

export const scan = (number, qr) => call('POST', `${phone(number)}/scan`, { qr });
export const linkCode = (number, code) => call('POST', `${phone(number)}/link-code`, { code });
export const send = (number, to, text) => call('POST', `${phone(number)}/send`, { to, text });
export const typing = (number, to, on) => call('POST', `${phone(number)}/typing`, { to, typing: on });
export const read = (number, chat) => call('POST', `${phone(number)}/read`, { chat });
export const unlink = (number, device) => call('POST', `${phone(number)}/unlink`, device ? { device } : {});
export const faults = patch => call('POST', '/faults', patch);

/** Calls back with each state of the world, and with whether the line to the simulator is up. */
export function follow(show, line) {
  const source = new EventSource('/events');
  source.addEventListener('state', event => show(JSON.parse(event.data)));
  source.addEventListener('open', () => line(true));
  source.addEventListener('error', () => line(false));
}
