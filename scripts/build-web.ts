import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'web/dist/.built-from');

/** Builds the web app into web/dist unless it is already built from exactly these sources. */
export async function buildWeb(): Promise<'built' | 'current'> {
  const sources = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return 'current';
  const { build } = await import('vite');
  await build({ root: join(root, 'web'), configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  writeFileSync(stamp, sources);
  return 'built';
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const place of ['web', 'vite.config.ts', 'package-lock.json', 'src']) addTo(hash, join(root, place));
  return hash.digest('hex');
}

function addTo(hash: ReturnType<typeof createHash>, path: string): void {
  if (path.endsWith('/dist')) return;
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) addTo(hash, join(path, name));
  } else if (!path.includes('/src/') || path.endsWith('/schema.ts')) {
    hash.update(path.slice(root.length)).update(readFileSync(path));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`web/dist is ${await buildWeb()}.`);
