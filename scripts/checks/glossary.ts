import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from './sources.ts';

/** Words that another word of docs/GLOSSARY.md stands for, as parts of our own names. */
const never: Record<string, string> = {
  tenant: 'workspace',
  org: 'workspace',
  session: 'login, credentials or connection',
  inbox_channel: 'channel',
  chat: 'conversation or group',
  thread: 'conversation',
  ticket: 'conversation',
  lead: 'contact',
  customer: 'contact',
  queue: 'outbox',
  blacklist: 'suppression',
  tier: 'plan',
  quota: 'limit',
  manager: 'a noun of its own',
  helper: 'a noun of its own',
  util: 'a noun of its own',
  utils: 'a noun of its own',
};

const exported =
  /^export (?:declare )?(?:async )?(?:function\*?|const|class|type|interface|let) ([A-Za-z0-9_]+)/gm;

/** One word per thing: exported names, file names, tables, columns and paths of the API. */
export function checkGlossary(root: string, sources: Source[]): string[] {
  const problems: string[] = [];
  for (const { path, text } of sources) {
    if (!/^(src|web)\//.test(path) || path.endsWith('tables.ts')) continue;
    problems.push(...wrong(path, path.replace(/^.*\//, '').replace(/\.(test|room)?\.?tsx?$/, '')));
    for (const match of text.matchAll(exported)) problems.push(...wrong(path, match[1] ?? ''));
    for (const match of text.matchAll(/['"`](\/v1\/[^'"`]*)['"`]/g))
      problems.push(...wrong(path, match[1] ?? ''));
  }
  for (const file of readdirSync(join(root, 'db')).filter(name => name.endsWith('.up.sql'))) {
    const sql = readFileSync(join(root, 'db', file), 'utf8');
    for (const match of sql.matchAll(
      /create (?:table|function|procedure|policy) ([a-z_]+)|^ {2}([a-z_]+) /gm,
    )) {
      problems.push(...wrong(`db/${file}`, match[1] ?? match[2] ?? ''));
    }
  }
  return problems;
}

function wrong(place: string, name: string): string[] {
  return words(name)
    .filter(word => word in never)
    .map(word => `${place}: "${name}" says "${word}"; the glossary says ${never[word]}.`);
}

function words(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z]+/)
    .map(word => word.toLowerCase());
}
