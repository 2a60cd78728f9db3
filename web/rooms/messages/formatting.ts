/** WhatsApp's own marks. */
export const marks = { bold: '*', italic: '_', strike: '~', mono: '```' } as const;
export type Mark = keyof typeof marks;

export type Piece = { kind: 'text'; text: string } | { kind: Mark; children: Piece[] };

/** A mark stands free of words outside and of spaces inside. */
const marked =
  /```([^\n`][\s\S]*?)```|(?<![\p{L}\p{N}])([*_~])(?!\s)((?:(?!\2)[^\n])+)(?<!\s)\2(?![\p{L}\p{N}])/u;

/** What the recipient sees: the text in pieces, without the marks that are understood. */
export function piecesOf(text: string): Piece[] {
  const found = marked.exec(text);
  if (!found) return text === '' ? [] : [{ kind: 'text', text }];
  const [whole, mono, sign, inner] = found;
  const piece: Piece =
    mono === undefined
      ? { kind: markOf(sign), children: piecesOf(inner ?? '') }
      : { kind: 'mono', children: [{ kind: 'text', text: mono }] };
  const before = text.slice(0, found.index);
  return [
    ...(before === '' ? [] : [{ kind: 'text' as const, text: before }]),
    piece,
    ...piecesOf(text.slice(found.index + whole.length)),
  ];
}

export type Selection = { text: string; start: number; end: number };

/** Puts the mark around what is selected, or takes it away; spaces at the ends stay outside. */
export function toggleMark({ text, start, end }: Selection, mark: Mark): Selection {
  const sign = marks[mark];
  if (text.slice(start - sign.length, start) === sign && text.slice(end, end + sign.length) === sign) {
    const without =
      text.slice(0, start - sign.length) + text.slice(start, end) + text.slice(end + sign.length);
    return { text: without, start: start - sign.length, end: end - sign.length };
  }
  const selected = text.slice(start, end);
  const from = start + (selected.length - selected.trimStart().length);
  const to = Math.max(from, end - (selected.length - selected.trimEnd().length));
  return {
    text: text.slice(0, from) + sign + text.slice(from, to) + sign + text.slice(to),
    start: from + sign.length,
    end: to + sign.length,
  };
}

/** The first line without marks: what a message is called in lists. */
export function titleOf(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? '';
  return plain(piecesOf(line)).trim() || 'Empty message';
}

function plain(pieces: Piece[]): string {
  return pieces.map(piece => (piece.kind === 'text' ? piece.text : plain(piece.children))).join('');
}

function markOf(sign: string | undefined): Mark {
  return (Object.keys(marks) as Mark[]).find(mark => marks[mark] === sign) ?? 'bold';
}
