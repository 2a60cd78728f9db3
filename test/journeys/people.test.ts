import { rmSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaughtMail } from '../../sim/mail/index.ts';
import { type Client, signIn } from '../harness/api.ts';
import { axeViolations, enter, launchBrowser, problemsOfPage, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';
import { appCode } from '../harness/identity.ts';
import { mailTo, tokenIn } from '../harness/mail.ts';

const EMAIL = 'nina@example.org';
const PASSWORD = 'four crooked lampposts';
const OTHER = 'seven patient herons';

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let admin: Client;
let recoveryCodes: string[] = [];

beforeAll(async () => {
  dataDir = temporaryFolder('people');
  running = await startDemo(dataDir);
  admin = await signIn(running.demo);
  browser = await launchBrowser();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
});
afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const open = (path: string) => page.goto(`${running.demo.url}${path}`);
const title = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();
const press = (name: string) => page.getByRole('button', { name, exact: true }).click();

async function mails(to: string): Promise<CaughtMail[]> {
  const answer = await fetch(`${running.demo.mail_url}/mails?to=${encodeURIComponent(to)}`);
  const { data } = (await answer.json()) as { data: CaughtMail[] };
  return data.filter(mail => mail.to === to);
}

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${running.demo.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}

describe('somebody new', () => {
  it('cannot sign up before people may', async () => {
    await open('/sign-up');
    await title('By invitation');
    expect((await admin('PATCH', '/v1/admin/settings', { sign_up: 'open' })).status).toBe(200);
  });

  it('signs up by a link in a mail', async () => {
    await open('/sign-in');
    await page.getByRole('link', { name: 'Make an account' }).click();
    await page.getByLabel('E-mail address').fill(EMAIL);
    expect(await axeViolations(page)).toEqual([]);
    await press('Send me the link');
    await title('Look into your mail');
    await open(`/sign-up/${tokenIn(await mailTo(mails, EMAIL, /Finish your sign-up/), '/sign-up/')}`);
    await page.getByLabel('Your name').fill('Nina Nova');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    expect(await axeViolations(page)).toEqual([]);
    // Terms that come while the page is open are shown, and asked for, with what is filled in kept.
    await admin('PATCH', '/v1/admin/settings', {
      terms: { version: 'zero', url: 'https://example.org/zero' },
    });
    await press('Make my account');
    await page.getByText('Read the terms and accept them').waitFor();
    await page.getByRole('checkbox').check();
    await press('Make my account');
    await title('A new workspace');
    await admin('PATCH', '/v1/admin/settings', { terms: null });
  });

  it('makes a workspace and is in it', async () => {
    await page.getByLabel('Name', { exact: true }).fill('Riverside Choir');
    await press('Make workspace');
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/w\/riverside-choir/);
  });

  it('is asked for the terms when they have moved, and goes on where she wanted to', async () => {
    const terms = (version: string) => ({ terms: { version, url: 'https://example.org/terms' } });
    expect((await admin('PATCH', '/v1/admin/settings', terms('one'))).status).toBe(200);
    await open('/w/riverside-choir/contacts?x=1');
    await title('Please read the terms');
    await page.getByText('of one.').waitFor();
    expect(await problemsOfPage(page)).toEqual([]);
    await press('Accept and go on');
    await page.getByText('Read and accept the terms first.').waitFor();
    expect((await admin('PATCH', '/v1/admin/settings', terms('two'))).status).toBe(200);
    await page.getByRole('checkbox').check();
    await press('Accept and go on');
    await page.getByText('The terms have changed once more.').waitFor();
    await page.getByText('of two.').waitFor();
    await page.getByRole('checkbox').check();
    await press('Accept and go on');
    await title('Contacts');
    expect(new URL(page.url()).pathname).toBe('/w/riverside-choir/contacts');
  });

  it('can leave instead of accepting', async () => {
    const terms = { version: 'three', url: 'https://example.org/terms' };
    await admin('PATCH', '/v1/admin/settings', { terms });
    await open('/w/riverside-choir/account');
    await title('Please read the terms');
    await press('Sign out');
    await title('Sign in');
    await admin('PATCH', '/v1/admin/settings', { terms: null });
    await enter(page, { url: `${running.demo.url}/sign-in`, username: EMAIL, password: PASSWORD });
    expect(new URL(page.url()).pathname).toMatch(/^\/w\/riverside-choir/);
  });

  it('has her theme, zone and forms of dates on another device, too', async () => {
    await page.getByRole('button', { name: 'Menu of Nina Nova' }).click();
    const kept = page.waitForResponse(answer => answer.request().method() === 'PATCH');
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    expect((await kept).status()).toBe(200);
    await open('/w/riverside-choir/account');
    await page.getByRole('combobox', { name: 'Language and region' }).fill('German (Ger');
    await page.getByRole('option', { name: 'German (Germany)' }).click();
    await page.getByRole('combobox', { name: 'Time zone' }).fill('Auckland');
    await page.getByRole('option', { name: 'Pacific/Auckland' }).click();
    await press('Save');
    await page.getByText('Saved.').waitFor();
    const device = await browser.newContext({ locale: 'en-US', timezoneId: 'America/New_York' });
    const other = await device.newPage();
    await enter(other, { url: running.demo.url, username: EMAIL, password: PASSWORD });
    await other.locator('html[data-mantine-color-scheme=dark]').waitFor();
    await other.goto(`${running.demo.url}/w/riverside-choir/account`);
    await other.locator('time').first().hover();
    expect(await other.getByRole('tooltip').innerText()).toMatch(/ at \d\d:\d\d:\d\d GMT\+1[23]$/);
    // The page is dark before the app has run.
    await other.route('**/assets/*.js', route => route.abort());
    await other.reload();
    expect(await other.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark');
    await device.close();
  });

  it('sets up a second factor', async () => {
    await open('/w/riverside-choir/account');
    await press('Set up');
    await page.getByLabel('Your password').fill(PASSWORD);
    await press('Continue');
    await page.getByRole('img', { name: 'QR code to scan with an authenticator app' }).waitFor();
    const secret = (await page.getByRole('dialog').locator('code').innerText()).replaceAll(' ', '');
    await page.getByLabel('Code', { exact: true }).fill(appCode(secret, new Date()));
    await press('Turn on');
    await page.getByText('Keep these recovery codes').waitFor();
    recoveryCodes = await page.getByRole('dialog').locator('li code').allInnerTexts();
    expect(recoveryCodes).toHaveLength(10);
    await press('I have kept them');
    await page.getByText('10 recovery codes are left.').waitFor();
  });

  it('is asked for it at the next sign-in, and comes in by a recovery code without the phone', async () => {
    await page.getByRole('button', { name: 'Menu of Nina Nova' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await title('Sign in');
    await page.getByLabel('Username').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await press('Sign in');
    await title('One more step');
    expect(await axeViolations(page)).toEqual([]);
    await page.getByLabel('Code', { exact: true }).fill('000000');
    await press('Sign in');
    await page.getByRole('alert').waitFor();
    await press('Use a recovery code');
    await page.getByLabel('Recovery code').fill(recoveryCodes.shift() ?? '');
    await press('Sign in');
    await page.getByRole('navigation', { name: 'Places' }).waitFor();
  });

  it('chooses another password by a link when the old one is forgotten, and still shows the factor', async () => {
    const signedOut = await (await browser.newContext()).newPage();
    await signedOut.goto(`${running.demo.url}/forgot`);
    await signedOut.getByLabel('Username or e-mail address').fill(EMAIL);
    await signedOut.getByRole('button', { name: 'Send me the link' }).click();
    const token = tokenIn(await mailTo(mails, EMAIL, /Choose a new password/), '/reset/');
    await signedOut.goto(`${running.demo.url}/reset/${token}`);
    await signedOut.getByLabel('New password').fill(OTHER);
    await signedOut.getByRole('button', { name: 'Save and sign in' }).click();
    await signedOut.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    // The browser that was signed in is out.
    await open('/w/riverside-choir/account');
    await title('Sign in');
    expect((await post('/v1/login', { username: EMAIL, password: PASSWORD })).status).toBe(401);
    expect((await post('/v1/login', { username: EMAIL, password: OTHER })).status).toBe(202);
  });
});

describe('a refresh token that was stolen', () => {
  it('ends the login of the thief and of the robbed, who is told', async () => {
    const begin = await post('/v1/login', { username: EMAIL, password: OTHER, kind: 'client' });
    const { challenge } = (await begin.json()) as { challenge: string };
    const opened = await post('/v1/login/second-factor', { challenge, code: recoveryCodes.shift() ?? '' });
    const { refresh_token: first } = (await opened.json()) as { refresh_token: string };
    const refresh = async (token: string) => {
      const answer = await post('/v1/login/refresh', { refresh_token: token });
      return {
        status: answer.status,
        body: (await answer.json()) as { refresh_token: string; access_token: string },
      };
    };
    const second = await refresh(first);
    const third = await refresh(second.body.refresh_token);
    expect([second.status, third.status]).toEqual([200, 200]);
    const me = (token: string) =>
      fetch(`${running.demo.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    expect((await me(third.body.access_token)).status).toBe(200);
    expect((await refresh(first)).status).toBe(401);
    expect((await me(third.body.access_token)).status).toBe(401);
    expect((await refresh(third.body.refresh_token)).status).toBe(401);
    await mailTo(mails, EMAIL, /We have ended a login/);
  });
});

describe('the kill switch', () => {
  it('ends a live stream and shows the door', async () => {
    await enter(page, running.demo);
    const stream = await page.evaluateHandle(async () => {
      const { status, body } = await fetch('/v1/live?workspace=demo');
      return { status, reader: body?.getReader() };
    });
    expect(await stream.evaluate(({ status }) => status)).toBe(200);
    expect((await admin('POST', '/v1/admin/logout')).status).toBe(204);
    await stream.evaluate(async ({ reader }) => {
      while (reader && !(await reader.read()).done);
    });
    await page.reload();
    await title('Sign in');
    expect((await admin('GET', '/v1/me')).status).toBe(401);
  });
});
