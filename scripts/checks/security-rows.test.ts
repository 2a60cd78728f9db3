import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('docs/SECURITY.md', () => {
  const rows = readFileSync(`${root}docs/SECURITY.md`, 'utf8')
    .split('\n')
    .filter(line => /^\| (?!topic |--)/.test(line));

  it('names for each rule a test that is there, or says that it is open', () => {
    expect(rows.length).toBeGreaterThan(40);
    for (const row of rows) {
      const [, topic = '', rule = '', proof = ''] = row.split('|');
      const tests = [...proof.matchAll(/`((?:src|test|scripts|web)\/[^`]+)`/g)].map(([, path]) => path ?? '');
      expect(tests.length > 0 || rule.includes('*Open*'), topic).toBe(true);
      expect(
        tests.filter(path => !existsSync(root + path)),
        topic,
      ).toEqual([]);
    }
  });
});
