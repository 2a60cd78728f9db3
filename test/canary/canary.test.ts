import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CANARY } from '../harness/canary.ts';
import { keepFigure } from '../harness/figures.ts';

const folder = fileURLToPath(new URL('../../figures/heard/', import.meta.url));

/** Full numbers of the people in the simulators, and what libsignal prints of its records. */
const NEVER = [
  /\b1555\d{7}\b/,
  /privKey|chainKey|rootKey|ephemeralKeyPair|Closing session|<Buffer [0-9a-f]{2} /,
];

/**
 * All that the programs of the suite have said, those behind the browser too, at their most talkative, searched for what must be in no output:
 * texts of messages and passwords (both carry the canary), keys, cookies, full numbers, Signal records.
 */
describe('what the programs have said', () => {
  it('holds nothing secret', () => {
    const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.log')) : [];
    const secrets = existsSync(`${folder}secrets.txt`)
      ? readFileSync(`${folder}secrets.txt`, 'utf8')
          .split('\n')
          .filter((secret, at, all) => secret.length > 8 && all.indexOf(secret) === at)
      : [];
    const found: string[] = [];
    let bytes = 0;
    for (const name of names) {
      const text = readFileSync(`${folder}${name}`, 'utf8');
      bytes += text.length;
      for (const line of text.split('\n')) {
        const fault =
          line.includes(CANARY) ||
          NEVER.some(word => word.test(line)) ||
          secrets.some(one => line.includes(one));
        if (fault) found.push(`${name}: ${line.slice(0, 300)}`);
      }
    }
    keepFigure('3-canary', {
      fault: 'every program of the crash and chaos tests and of the browser journeys logs all that it can',
      invariant: 'no text of a message, password, key, cookie, full number or Signal record is in any output',
      test: 'test/canary/canary.test.ts',
      counted: `${found.length} lines found in ${names.length} logs of ${(bytes / 1e6).toFixed(1)} MB, with ${secrets.length} keys, cookies and texts searched for`,
    });
    for (const kind of ['crash', 'chaos', 'demo', 'program'])
      expect(
        names.map(name => name.split('-')[0]),
        'run all other tests first',
      ).toContain(kind);
    expect(found).toEqual([]);
  });
});
