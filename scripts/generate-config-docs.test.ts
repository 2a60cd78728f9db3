import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generated } from './generate-config-docs.ts';

describe('the documents of the configuration', () => {
  it.each(generated)(
    '$path is up to date; else run: npx node scripts/generate-config-docs.ts',
    ({ path, text }) => {
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );
});
