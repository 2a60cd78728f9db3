import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Figure } from '../test/harness/figures.ts';

/** `npm run reliability`: makes docs/RELIABILITY.md of what the last run of the tests has counted. */
const figures = fileURLToPath(new URL('../figures/', import.meta.url));
const page = fileURLToPath(new URL('../docs/RELIABILITY.md', import.meta.url));

const names = existsSync(figures)
  ? readdirSync(figures)
      .filter(name => name.endsWith('.json'))
      .sort()
  : [];
if (names.length === 0) {
  console.error('No test has left figures yet. Run `npm test` or `npm run chaos` first.');
  process.exitCode = 1;
} else {
  const rows = names.map(name => rowOf(JSON.parse(readFileSync(`${figures}${name}`, 'utf8')) as Figure));
  const text = readFileSync(page, 'utf8');
  const [before = '', rest = ''] = text.split('<!-- figures -->');
  const after = rest.split('<!-- /figures -->')[1] ?? '';
  const table = ['| fault | what holds | test | last run |', '|---|---|---|---|', ...rows].join('\n');
  writeFileSync(page, `${before}<!-- figures -->\n${table}\n<!-- /figures -->${after}`);
}

function rowOf({ fault, invariant, test, counted }: Figure): string {
  return `| ${fault} | ${invariant} | \`${test}\` | ${counted} |`;
}
