import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isWellFormed, newKeyText, shownPrefix } from './key-text.ts';

describe('the text of an API key', () => {
  it('is found by a pattern, and never twice the same', () => {
    const keys = Array.from({ length: 200 }, newKeyText);
    for (const key of keys) expect(key).toMatch(/^cvk_[0-9A-Za-z]{38}$/);
    expect(new Set(keys).size).toBe(200);
    expect(shownPrefix(keys[0] ?? '')).toMatch(/^cvk_.{4}$/);
  });

  it('carries the checksum of what stands before', () => {
    const key = newKeyText();
    const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const value = [...key.slice(-6)].reduce((sum, letter) => sum * 62 + letters.indexOf(letter), 0);
    expect(value).toBe(crc32(key.slice(0, -6)));
    expect(isWellFormed(key)).toBe(true);
  });

  it('with another letter anywhere is none', () => {
    const key = newKeyText();
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(isWellFormed(key.slice(0, at) + other + key.slice(at + 1))).toBe(false);
    }
    expect(isWellFormed(`${key}x`)).toBe(false);
    expect(isWellFormed(key.slice(0, -1))).toBe(false);
    expect(isWellFormed('')).toBe(false);
  });
});
