import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkSupplyChain, type Lockfile, type Manifest, supplyFaults } from './supply-chain.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const settings = readFileSync(`${root}/.npmrc`, 'utf8');
const integrity = `sha512-${'a'.repeat(86)}==`;

/** Two packages as they should be, for tests to spoil. */
function ground(): { manifest: Manifest; lock: Lockfile; one: Lockfile['packages'][string] } {
  const one = { version: '1.2.3', integrity };
  return {
    manifest: { dependencies: { one: '1.2.3' }, scripts: { start: 'node a.ts' } },
    lock: {
      lockfileVersion: 3,
      packages: {
        '': { dependencies: { one: '1.2.3' } },
        'node_modules/one': one,
        'node_modules/one/node_modules/two': { version: '2.0.0-rc.1', integrity },
      },
    },
    one,
  };
}
type Ground = ReturnType<typeof ground>;

describe('what is installed', () => {
  it('is what was chosen', () => {
    expect(checkSupplyChain(root)).toEqual([]);
    const { manifest, lock } = ground();
    expect(supplyFaults(manifest, lock, settings)).toEqual([]);
  });

  it.each<[string, (on: Ground) => void]>([
    ['a range', on => Object.assign(on.manifest, { dependencies: { one: '^1.2.3' } })],
    ['a tag', on => Object.assign(on.manifest, { devDependencies: { one: 'latest' } })],
    ['an address', on => Object.assign(on.manifest, { dependencies: { one: 'git+ssh://host/one' } })],
    ['a package that is not locked', on => Object.assign(on.manifest, { dependencies: { two: '1.0.0' } })],
    ['another version in the lockfile', on => Object.assign(on.one, { version: '1.2.4' })],
    ['content that nobody knows', on => Object.assign(on.one, { integrity: undefined })],
    ['content known by an old hash', on => Object.assign(on.one, { integrity: 'sha1-aaaa' })],
    ['a place that it came from', on => Object.assign(on.one, { resolved: 'https://host/one.tgz' })],
    ['a link', on => Object.assign(on.one, { link: true })],
    [
      'a folder',
      on => Object.assign(on.lock.packages, { 'packages/three': { version: '1.0.0', integrity } }),
    ],
    ['a dependency from elsewhere', on => Object.assign(on.one, { dependencies: { four: 'github:a/four' } })],
    ['a short address', on => Object.assign(on.one, { optionalDependencies: { four: 'a/four' } })],
    ['a script at the installation', on => Object.assign(on.one, { hasInstallScript: true })],
    ['scripts that are let run', on => Object.assign(on.manifest, { allowScripts: { one: true } })],
    ['a script before another', on => Object.assign(on.manifest, { scripts: { prestart: 'node b.ts' } })],
  ])('is refused with %s', (_, spoil) => {
    const on = ground();
    spoil(on);
    expect(supplyFaults(on.manifest, on.lock, settings)).not.toEqual([]);
  });

  it('is refused without any line of the settings', () => {
    const { manifest, lock } = ground();
    const lines = settings.trim().split('\n');
    for (const line of lines)
      expect(
        supplyFaults(manifest, lock, lines.filter(other => other !== line).join('\n')),
        line,
      ).toHaveLength(1);
    expect(lines).toHaveLength(7);
  });
});
