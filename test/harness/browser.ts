import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** A browser named by CHROMIUM_PATH wins over the one from the package. */
export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? (await unpackedChromium()),
    args: ['--no-sandbox', '--headless=shell', '--disable-gpu'],
  });
}

/**
 * The packaged browser unpacks its libraries only where it believes to run on a matching runtime, and
 * into the temporary folder: one folder per user, so that two users do not fight over the files.
 */
async function unpackedChromium(): Promise<string> {
  process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs24.x';
  const before = process.env.TMPDIR;
  process.env.TMPDIR = join(tmpdir(), `convoke-chromium-${process.getuid?.() ?? 0}`);
  mkdirSync(process.env.TMPDIR, { recursive: true });
  const { default: packaged } = await import('@sparticuz/chromium');
  const path = await packaged.executablePath();
  nameFonts(join(process.env.TMPDIR, 'fonts'));
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  return path;
}

/** The package's own list names /tmp/fonts; a browser that finds no font at all dies at the first text field. */
function nameFonts(folder: string): void {
  const list = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}</dir><cachedir>${folder}-cache</cachedir></fontconfig>\n`;
  const file = join(folder, 'fonts.conf');
  if (readFileSync(file, 'utf8') !== list) writeFileSync(file, list);
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type AxeResult = {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
};

/** WCAG A and AA violations of the page as it is now, each with the element at fault. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(`${axeSource}; undefined`);
  const result = (await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })",
  )) as AxeResult;
  return result.violations.flatMap(violation =>
    violation.nodes.map(
      node => `${violation.id} (${violation.impact}): ${node.html.slice(0, 200)} – ${node.failureSummary}`,
    ),
  );
}

const LOOKS = [
  [360, 'light'],
  [360, 'dark'],
  [1280, 'dark'],
  [1280, 'light'],
] as const;

/** What axe and the width of the page find wrong with it, on a phone and on a desk, light and dark. */
export async function problemsOfPage(page: Page): Promise<string[]> {
  const problems: string[] = [];
  await settled(page);
  for (const [width, colorScheme] of LOOKS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await settled(page);
    const at = `${new URL(page.url()).pathname} ${width} ${colorScheme}`;
    for (const violation of await axeViolations(page)) problems.push(`${at}: ${violation}`);
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    if (overflow !== 0) problems.push(`${at}: scrolls sideways by ${String(overflow)}`);
  }
  return problems;
}

/** Until nothing is loading, and what fades in has its colours. */
async function settled(page: Page): Promise<void> {
  await page.locator('.convoke-after-a-moment').first().waitFor({ state: 'detached', timeout: 30_000 });
  await page.evaluate(`Promise.allSettled(document.getAnimations()
    .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime))
    .map(({ finished }) => finished))`);
}

/** Signs in through the page and waits until the person is in. */
export async function enter(
  page: Page,
  { url, username, password }: { url: string; username: string; password: string },
): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Places' }).waitFor();
}

/** A folder of its own below the temporary one. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `convoke-${name}-`));
}
