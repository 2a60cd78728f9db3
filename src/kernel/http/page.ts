import { invalidField } from '../errors.ts';
import { isId } from '../ids.ts';

/** The opaque cursor that continues a list after the row with this id. */
export function pageCursor(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The id in a cursor that `pageCursor` made. Throws 422 on `cursor` for anything else. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  if (!isId(id) || pageCursor(id) !== cursor) {
    throw invalidField(
      'cursor',
      'Use `page.next_cursor` of the page before, unchanged, or leave it out to start over.',
    );
  }
  return id;
}
