import { describe, expect, it } from 'vitest';
import { blankDatabase } from '../test/harness/database.ts';
import { generate, staleFiles } from './generate-tables.ts';

describe('what is generated from the schema', () => {
  it('fits the migrations (else run: node scripts/generate-tables.ts)', async () => {
    const blank = await blankDatabase();
    const stale = staleFiles(await generate(blank.url ?? ''));
    await blank.close();
    expect(stale.map(({ path }) => path)).toEqual([]);
  });
});
