import type { Source } from './sources.ts';

/** Reading order = import order = foreign-key order. */
export const ROOMS = [
  'kernel',
  'identity',
  'billing',
  'contacts',
  'channels',
  'messages',
  'inbox',
  'reminders',
  'events',
  'webhooks',
  'ops',
] as const;

/** The one rule of the house, without an allow-list: rooms import only to their left, through the face. */
export function checkRooms(sources: Source[]): string[] {
  return sources.flatMap(source => [...faults(source)].map(fault => `${source.path}:${fault}`));
}

function* faults(source: Source): Generator<string> {
  if (/^export \*/m.test(source.text)) yield '1 export * hides what a room offers: name each export.';
  for (const { target, typeOnly, line } of source.imports) {
    const fault = faultOf(source.path, target, typeOnly);
    if (fault) yield `${line} ${fault}`;
  }
  if (
    source.path.startsWith('src/') &&
    !source.path.includes('/adapters/') &&
    /\bkind\s*===\s*'linked'/.test(source.text)
  ) {
    yield '1 The kind of a channel is asked outside adapters/: make it a capability.';
  }
}

function faultOf(path: string, target: string, typeOnly: boolean): string | undefined {
  const test = /\.test\.tsx?$/.test(path);
  if (path.startsWith('src/') && /^(sim|test|web|bench|scripts)\//.test(target)) {
    return test && /^(sim|test|scripts)\//.test(target) ? undefined : `src/ must not import ${target}.`;
  }
  if (path.startsWith('web/') && target.startsWith('src/')) {
    if (typeOnly && /^src\/[a-z-]+\/((?:[a-z-]+\/)?schema|http\/shapes)\.ts$/.test(target)) return undefined;
    return test ? undefined : `web/ shares only types of a room's schema with src/, not ${target}.`;
  }
  if (path.startsWith('sim/') && target.startsWith('src/') && !path.startsWith('sim/demo')) {
    return `Simulators must not import the product: ${target}.`;
  }
  return path.startsWith('src/') && target.startsWith('src/') && !test ? roomFault(path, target) : undefined;
}

function roomFault(path: string, target: string): string | undefined {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (from === to) return undefined;
  if (to === undefined) return `${target} is the composition: no room imports it.`;
  if (target !== `src/${to}/index.ts`) {
    // main.ts opens the engine itself before there is a kernel to ask.
    if (from === undefined && to === 'kernel') return undefined;
    return target === `src/${to}/schema.ts`
      ? undefined
      : `Enter the room ${to} through its index.ts, not ${target}.`;
  }
  if (from === undefined) return undefined;
  return position(to) < position(from) ? undefined : `${from} stands left of ${to} and must not import it.`;
}

function roomOf(path: string): (typeof ROOMS)[number] | undefined {
  const name = /^src\/([a-z-]+)\//.exec(path)?.[1];
  return ROOMS.find(room => room === name);
}

function position(room: (typeof ROOMS)[number]): number {
  return ROOMS.indexOf(room);
}
