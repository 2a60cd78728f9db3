/** A regular expression as far as its repetitions need to be seen: single characters by those that they match. */
export type Shape =
  | { kind: 'chars'; source: string }
  | { kind: 'row'; parts: Shape[] }
  | { kind: 'choice'; ways: Shape[] }
  | { kind: 'repeat'; body: Shape; least: number; most: number }
  | { kind: 'again'; group: number }
  | { kind: 'place' };

type Reader = { text: string; at: number };

/** Reads what JavaScript takes for a pattern, but for nested classes of the flag `v`. */
export function shapeOf(pattern: string): Shape {
  return readChoice({ text: pattern, at: 0 });
}

function readChoice(from: Reader): Shape {
  const ways: Shape[] = [];
  do ways.push(readRow(from));
  while (taken(from, '|'));
  return ways.length === 1 && ways[0] ? ways[0] : { kind: 'choice', ways };
}

function readRow(from: Reader): Shape {
  const parts: Shape[] = [];
  while (from.at < from.text.length && from.text[from.at] !== '|' && from.text[from.at] !== ')')
    parts.push(readRepeat(from, readAtom(from)));
  return { kind: 'row', parts };
}

function readAtom(from: Reader): Shape {
  if (taken(from, '(')) return readGroup(from);
  const rest = from.text.slice(from.at);
  const place = /^(?:[\^$]|\\[bB])/.exec(rest);
  if (place) return { kind: 'place', ...moved(from, place[0]) };
  const again = /^\\([1-9]\d?)/.exec(rest);
  if (again) return { kind: 'again', group: Number(again[1]), ...moved(from, again[0]) };
  const one =
    /^(?:\[(?:\\[\s\S]|[^\]\\])*\]|\\(?:u\{[0-9a-f]+\}|u[0-9a-f]{4}|x[0-9a-f]{2}|[pP]\{[^}]*\}|[\s\S])|[\s\S])/iu;
  const source = one.exec(rest)?.[0] ?? '';
  if (source === '') throw new Error(`Cannot read the pattern at ${rest}.`);
  return { kind: 'chars', source, ...moved(from, source) };
}

/** What a look around asks for stays in the text, so that what comes behind it is met by an attack that it lets pass. */
function readGroup(from: Reader): Shape {
  const opening = /^\?(?::|<?[=!]|<[^>]+>)/.exec(from.text.slice(from.at))?.[0] ?? '';
  moved(from, opening);
  const body = readChoice(from);
  if (!taken(from, ')')) throw new Error(`A group of ${from.text} does not end.`);
  return /^\?<?[=!]$/.test(opening) ? { kind: 'repeat', body, least: 0, most: 0 } : body;
}

function readRepeat(from: Reader, body: Shape): Shape {
  const sign = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(from.text.slice(from.at));
  if (!sign) return body;
  moved(from, sign[0]);
  const [, least, comma, most] = sign;
  if (least !== undefined) {
    const end = most === '' ? Number.POSITIVE_INFINITY : Number(most);
    return { kind: 'repeat', body, least: Number(least), most: comma === '' ? Number(least) : end };
  }
  return {
    kind: 'repeat',
    body,
    least: sign[0].startsWith('+') ? 1 : 0,
    most: sign[0].startsWith('?') ? 1 : Number.POSITIVE_INFINITY,
  };
}

function taken(from: Reader, sign: string): boolean {
  if (!from.text.startsWith(sign, from.at)) return false;
  moved(from, sign);
  return true;
}

function moved(from: Reader, text: string): object {
  from.at += text.length;
  return {};
}
