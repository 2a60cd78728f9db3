import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Setting, settings } from '../src/kernel/config.ts';

/** Writes `.env.example` and `docs/CONFIG.md` from the one table of settings. */
const root = fileURLToPath(new URL('..', import.meta.url));

const all: Setting<unknown>[] = Object.values(settings);

export const generated: { path: string; text: string }[] = [
  { path: `${root}.env.example`, text: envExample() },
  { path: `${root}docs/CONFIG.md`, text: configPage() },
];

function envExample(): string {
  const entries = all.map(({ variable, shown, doc }) => `# ${doc}\n#${variable}=${example(shown)}\n`);
  return `# Copy to .env and take away the # in front of what you change. Made by scripts/generate-config-docs.ts.\n\n${entries.join('\n')}`;
}

/** A default in words is no value to copy. */
function example(shown: string): string {
  return shown.includes(' ') ? '' : shown;
}

function configPage(): string {
  const rows = all.map(
    ({ variable, shown, doc, secret }) =>
      `| \`${variable}\` | ${shown === '' ? '–' : shown} | ${secret ? 'yes' : ''} | ${doc.replaceAll('|', '\\|')} |`,
  );
  return `# Configuration

All of it comes from environment variables, or from a file \`.env\` beside \`package.json\`; a variable that is set goes before the file. An unknown \`CONVOKE_*\` stops the start and names the nearest known one. Made by \`scripts/generate-config-docs.ts\`.

| variable | default | secret | what it is for |
|---|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, text } of generated) writeFileSync(path, text);
}
