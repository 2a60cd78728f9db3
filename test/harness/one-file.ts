import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    child: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where its imports still find what stays outside. */
const folder = join(root, 'node_modules/.cache/convoke');
/** These read files that lie beside them. */
const OUTSIDE = ['@electric-sql/pglite', 'whatsapp-rust-bridge'];

/**
 * Once per run: the program that the crash tests start some hundred times, as one file. It is the same code, and starts
 * in half the time, most of which goes into finding and reading a thousand files.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const file = await asOneFile(join(root, 'test/crash/child.ts'));
  project.provide('child', file);
  return () => rmSync(file);
}

async function asOneFile(entry: string): Promise<string> {
  const { build } = await import('vite');
  const name = `${basename(entry, '.ts')}-${process.pid}.mjs`;
  mkdirSync(folder, { recursive: true });
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: OUTSIDE },
    plugins: [{ name: 'own-addresses', transform: keepAddress }],
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'node24',
      rolldownOptions: { output: { entryFileNames: name, codeSplitting: false } },
    },
  });
  return join(folder, name);
}

/** Each module still takes its own place for the one it was written in. */
function keepAddress(code: string, id: string): string | undefined {
  if (!code.includes('import.meta.url')) return undefined;
  return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
}
