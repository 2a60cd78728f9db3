import type { Source } from './sources.ts';

const exported = /^export (?:async )?(function\*?|const|class|type|interface) ([A-Za-z0-9_]+)/gm;

/** Exported names that no other file says, and files that nobody imports. */
export function checkUnused(sources: Source[]): string[] {
  const problems: string[] = [];
  const counts = new Map<string, Set<string>>();
  for (const { path, text } of sources) {
    for (const word of new Set(text.match(/[A-Za-z0-9_]+/g))) {
      const places = counts.get(word) ?? new Set();
      counts.set(word, places.add(path));
    }
  }
  const imported = new Set(sources.flatMap(source => source.imports.map(({ target }) => target)));
  for (const { path, text } of sources) {
    if (
      !/^(src|web|sim|test\/harness)\//.test(path) ||
      path.endsWith('tables.ts') ||
      path.endsWith('.test.ts')
    )
      continue;
    for (const match of text.matchAll(exported)) {
      const [, what = '', name = ''] = match;
      const elsewhere = [...(counts.get(name) ?? [])].some(place => place !== path);
      // A type may be exported because it is part of a signature in its own file.
      const inSignature = (what === 'type' || what === 'interface') && times(text, name) > 1;
      if (!elsewhere && !inSignature) problems.push(`${path}: nobody uses the export "${name}".`);
    }
    if (!imported.has(path) && !isEntry(path, sources)) problems.push(`${path}: nobody imports this file.`);
  }
  return problems;
}

function times(text: string, name: string): number {
  return text.split(new RegExp(`\\b${name}\\b`)).length - 1;
}

/** Started by a script, a worker or the bundler rather than imported; named somewhere as a path. */
function isEntry(path: string, sources: Source[]): boolean {
  const name = path.replace(/^.*\//, '');
  return (
    /^(src\/(main|cli)|sim\/demo|web\/main|sim\/[a-z]+\/main)\.tsx?$/.test(path) ||
    sources.some(source => source.path !== path && source.text.includes(`/${name}'`))
  );
}
