/** Text that is known to be HTML; everything else is escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = Html | string | number | undefined | null | false | readonly Piece[];

/** A piece of a page. What is put in is escaped, unless it is itself the result of `html`. */
export function html(parts: TemplateStringsArray, ...pieces: Piece[]): Html {
  return new Html(parts.map((part, index) => part + written(pieces[index])).join(''));
}

function written(piece: Piece): string {
  if (piece === undefined || piece === null || piece === false) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'object') return piece.map(written).join('');
  return String(piece).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);
}
