/** One line of a CSV file by RFC 4180; every cell stands in quotes. */
export function csvLine(cells: (string | number | null)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(value: string | number | null): string {
  const text = typeof value === 'string' ? harmless(value) : String(value ?? '');
  return `"${text.replaceAll('"', '""')}"`;
}

/**
 * What a spreadsheet would run as a formula: it may skip spaces and control characters in front, and knows the wide
 * forms of East Asian keyboards too. Tabs and line breaks in front can push the rest into a cell of its own.
 */
const FORMULA = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠])/u;

/** An apostrophe in front makes a spreadsheet show the text as it is. */
function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}
