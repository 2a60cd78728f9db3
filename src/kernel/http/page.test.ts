import { describe, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import { newId } from '../ids.ts';
import { pageCursor, readCursor } from './page.ts';

describe('page cursors', () => {
  it('give back the id they were made from', () => {
    const id = newId();
    expect(readCursor(pageCursor(id))).toBe(id);
    expect(readCursor(undefined)).toBeUndefined();
  });

  it.each(['', 'x', newId(), `${pageCursor(newId())}=`, 'a'.repeat(200), "' or 1=1"])(
    'refuse %j as a 422 on cursor',
    cursor => {
      const refusal = (): unknown => readCursor(cursor);
      expect(refusal).toThrow(AppError);
      expect(refusal).toThrow(
        expect.objectContaining({ status: 422, fields: [{ path: 'cursor', detail: expect.any(String) }] }),
      );
    },
  );
});
