import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readSources } from '../../scripts/checks/sources.ts';
import { sameSecret } from './same-secret.ts';

describe('sameSecret', () => {
  it.each([
    ['the same', 'secret', 'secret', true],
    ['text and bytes of it', Buffer.from('geheimnis'), 'geheimnis', true],
    ['nothing and nothing', '', '', true],
    ['another', 'secreT', 'secret', false],
    ['the beginning', 'secre', 'secret', false],
    ['more', 'secrets', 'secret', false],
    ['nothing', '', 'secret', false],
    ['as many characters in more bytes', 'sécrét', 'secret', false],
    ['another form of the same letter', 'e\u0301', '\u00e9', false],
    ['a NUL behind', 'secret\0', 'secret', false],
  ])('%s', (_, given, secret, same) => {
    expect(sameSecret(given, secret)).toBe(same);
  });

  it('is the only place that compares secrets by itself', () => {
    const sources = readSources(fileURLToPath(new URL('../..', import.meta.url)));
    const elsewhere = sources
      .filter(({ path }) => path.startsWith('src/') && !path.endsWith('.test.ts'))
      .filter(({ text }) => /timingSafeEqual|\.validate\(\{ ?token/.test(text));
    expect(elsewhere.map(({ path }) => path)).toEqual(['src/kernel/same-secret.ts']);
  });
});
