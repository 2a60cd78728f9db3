import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export type Import = {
  /** Path from the root of the project, or the bare name of a package. */
  target: string;
  typeOnly: boolean;
  line: number;
};

export type Source = { path: string; text: string; imports: Import[] };

/** Every TypeScript file that git knows or would know, with what it imports. */
export function readSources(root: string): Source[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return [...new Set(listed.split('\n'))]
    .filter(path => path !== '' && existsSync(join(root, path)))
    .map(path => {
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: importsOf(path, text) };
    });
}

const statement = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(statement)) {
    const clause = match[0];
    const typeOnly = match[1] !== undefined || everyNameIsType(clause);
    found.push({ target: resolve(path, match[2] ?? ''), typeOnly, line: lineOf(text, match.index) });
  }
  for (const match of text.matchAll(dynamic)) {
    found.push({ target: resolve(path, match[1] ?? ''), typeOnly: false, line: lineOf(text, match.index) });
  }
  return found;
}

function everyNameIsType(clause: string): boolean {
  const names = /\{([^}]*)\}/.exec(clause)?.[1];
  if (names === undefined) return false;
  const list = names
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '');
  return list.length > 0 && list.every(name => name.startsWith('type '));
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : specifier;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
