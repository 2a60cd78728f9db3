import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { slowText } from './regex-attacks.ts';
import { readSources } from './sources.ts';

const BUDGET_MS = 100;

type Found = { path: string; pattern: string; flags: string };

const sources = readSources(fileURLToPath(new URL('../..', import.meta.url))).filter(
  ({ path }) => /^(src|web)\//.test(path) && !/\.test\.tsx?$/.test(path),
);

/** What stands in the code as a regular expression, and which files make one while they run. */
function expressionsIn(): { literals: Found[]; made: string[] } {
  const literals: Found[] = [];
  const made: string[] = [];
  for (const { path, text } of sources) {
    const walk = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      const { type, regex, callee } = node as Partial<Record<'type' | 'regex' | 'callee', unknown>>;
      if (type === 'Literal' && regex)
        literals.push({ path, ...(regex as { pattern: string; flags: string }) });
      if ((callee as { name?: string } | undefined)?.name === 'RegExp') made.push(path);
      Object.values(node).forEach(walk);
    };
    const { program, errors } = parseSync(path, text);
    expect(errors).toEqual([]);
    walk(program);
  }
  return { literals, made };
}

function zods(): Found[] {
  return [z.regexes.uuid(), z.regexes.datetime({ offset: true })].map(({ source, flags }) => ({
    path: 'zod',
    pattern: source,
    flags,
  }));
}

describe('a slow expression is found', () => {
  it.each([
    /^(a+)+$/,
    /^(a|a)*b$/,
    /(?:\w+\s?)*$/,
    /^([a-z0-9]+-?)*!$/,
    /^id:(x*)*y/,
    /(?<name>(?:ab|a|b)+)+c/,
    /\s+$/,
    /-+$/g,
    /^\d*[0-9a-f]*\d*x$/,
    /\[.*\]$/,
    /%.*$/,
    /a{2,60}a{2,60}a{2,60}a{2,60}b/,
  ])('%s', expression => {
    expect(slowText(expression.source, expression.flags, BUDGET_MS)).toBeDefined();
  });
});

describe('what is quick stays free of suspicion', () => {
  it.each([
    /^[a-z]+$/,
    /\s+/g,
    /^\s*(\d{4})-(\d\d)\s*$/,
    /(?:Chrome|CriOS)\//,
    /^"(?:[^"\\]|\\.)*"$/,
    /\p{M}/gu,
  ])('%s', expression => {
    expect(slowText(expression.source, expression.flags, BUDGET_MS)).toBeUndefined();
  });
});

describe('the expressions of the server and the web app', () => {
  const { literals, made } = expressionsIn();

  it('are all written down, but for one that is made of our own routes', () => {
    expect(literals.length).toBeGreaterThan(100);
    expect(made).toEqual(['src/kernel/http/web-app.ts']);
  });

  it('are quick whatever they are given, and so are those of Zod that our shapes use', () => {
    const slow = [...literals, ...zods()].flatMap(({ path, pattern, flags }) => {
      const text = slowText(pattern, flags, BUDGET_MS);
      return text === undefined
        ? []
        : [`${path}: /${pattern}/${flags} with ${JSON.stringify(text.slice(0, 40))}…`];
    });
    expect(slow).toEqual([]);
  });
});
