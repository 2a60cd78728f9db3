import { rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, signIn } from '../harness/api.ts';
import { enter, launchBrowser, problemsOfPage, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';
import { watchForHarm } from '../harness/hostile.ts';

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let page: Page;
let stranger: Page;
const harm: string[][] = [];
let admin: Client;

beforeAll(async () => {
  dataDir = temporaryFolder('identity-pages');
  running = await startDemo(dataDir);
  admin = await signIn(running.demo);
  await admin('PATCH', '/v1/admin/settings', { sign_up: 'open' });
  await admin('POST', '/v1/admin/users', { username: 'somebody-with-a-rather-long-username' });
  await admin('POST', '/v1/invitations', { role: 'viewer' });
  for (const number of Array(20).keys())
    await admin('POST', '/v1/workspaces', {
      name: `Donaudampfschifffahrtsgesellschaft, ${number}. Kapitänsverein`,
    });
  await admin('POST', '/v1/api-keys', { name: 'Cash desk', scopes: ['read', 'send'] });
  browser = await launchBrowser();
  const size = { viewport: { width: 1280, height: 900 } };
  for (const context of [await browser.newContext(size), await browser.newContext(size)]) {
    harm.push(await watchForHarm(context));
    [stranger, page] = [page, await context.newPage()];
  }
  await enter(page, running.demo);
});
afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const at = async (path: string, heading: string, by = page) => {
  await by.goto(`${running.demo.url}${path}`);
  await by.getByRole('heading', { name: heading, level: 1 }).waitFor();
};

/** On phones and desks, light and dark: nothing beyond the edge, nothing that axe finds. */
describe('pages of people, on every screen', () => {
  it.each([
    ['/sign-in', 'Sign in'],
    ['/sign-up', 'Make an account'],
    ['/sign-up/some-token', 'Your account'],
    ['/forgot', 'Forgot your password?'],
    ['/reset/some-token', 'Choose another password'],
    ['/setup/some-token', 'Choose your password'],
    ['/invitation/some-token', 'This invitation is over'],
  ])('%s, signed out', async (path, heading) => {
    await at(path, heading, stranger);
    expect(await problemsOfPage(stranger)).toEqual([]);
  });

  it('says beside the field what is missing', async () => {
    await at('/sign-in', 'Sign in', stranger);
    await stranger.getByRole('button', { name: 'Sign in' }).click();
    await stranger.getByText('Type your password.').waitFor();
    expect(await stranger.getByLabel('Username').evaluate(field => field === document.activeElement)).toBe(
      true,
    );
    expect(await problemsOfPage(stranger)).toEqual([]);
  });

  it.each([
    ['/sign-up', 'Make an account', 'Send me the link', 'E-mail address'],
    ['/forgot', 'Forgot your password?', 'Send me the link', 'Username or e-mail address'],
    ['/reset/some-token', 'Choose another password', 'Save and sign in', 'New password'],
    ['/setup/some-token', 'Choose your password', 'Save and sign in', 'New password'],
  ])('%s puts the cursor where something is missing', async (path, heading, verb, field) => {
    await at(path, heading, stranger);
    await stranger.getByRole('button', { name: verb, exact: true }).click();
    await stranger.locator('[aria-invalid=true]:focus').waitFor();
    expect(await stranger.getByLabel(field).evaluate(one => one === document.activeElement)).toBe(true);
  });

  it.each([
    ['/w/demo/account', 'Your account'],
    ['/w/demo/settings', 'Settings'],
    ['/w/demo/settings/members', 'Members'],
    ['/w/demo/settings/keys', 'API keys'],
    ['/w/demo/settings/audit', 'Audit'],
    ['/w/demo/settings/workspace', 'Workspace'],
    ['/new-workspace', 'A new workspace'],
    ['/account', 'Your account'],
    ['/confirm/some-token', 'Your new e-mail address'],
  ])('%s, signed in', async (path, heading) => {
    await at(path, heading);
    expect(await problemsOfPage(page)).toEqual([]);
  });

  it.each([
    ['/w/demo/account', 'Your account', 'Menu of admin'],
    ['/w/demo/account', 'Your account', 'Workspace Demo, change'],
    ['/admin', 'This Convoke', 'What to do with admin'],
  ])('the menu at %s', async (path, heading, name) => {
    await at(path, heading);
    await page.getByRole('button', { name }).click();
    await page.getByRole('menuitem').first().waitFor();
    expect(await problemsOfPage(page)).toEqual([]);
    await page.getByRole('menuitem').last().hover();
  });

  it.each(['Users', 'Workspaces', 'Activity', 'Settings'])('the console: %s', async tab => {
    await at('/admin', 'This Convoke');
    await page.getByRole('tab', { name: tab }).click();
    await page.getByRole('tabpanel').locator('li, section').first().waitFor();
    expect(await problemsOfPage(page)).toEqual([]);
  });
});

describe('what happened to the installation', () => {
  it('is shown in the console by kind and by person, and leaves as a file', async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await at('/admin', 'This Convoke');
    await page.getByRole('tab', { name: 'Activity' }).click();
    const facts = page.getByRole('list', { name: 'What happened' });
    await facts.getByText('Person: signed in').first().waitFor();
    await page.getByRole('combobox', { name: 'About' }).click();
    await page.getByRole('option', { name: 'What admins did' }).click();
    await facts.getByText('sign up: invitation → open').waitFor();
    expect(await facts.getByText('Person: signed in').count()).toBe(0);
    await page.getByRole('combobox', { name: 'By' }).fill('somebody-with');
    await page.getByRole('option', { name: 'somebody-with' }).click();
    await page.getByText('Nothing of this kind has happened.').waitFor();
    await page.locator('button[aria-label="By everybody"]').click();
    await facts.waitFor();
    const address = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
    const file = await page.request.get(`${running.demo.url}${address}`);
    expect(file.headers()['content-type']).toContain('text/csv');
    const lines = (await file.text()).trim().split('\n').slice(1);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.filter(line => !line.includes('admin.'))).toEqual([]);
  });
});

it('has kept to the content policy on all of these pages', () => {
  expect(harm).toEqual([[], []]);
});
