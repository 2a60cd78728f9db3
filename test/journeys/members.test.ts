import { rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, enter, launchBrowser, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';

const PASSWORD = 'correct horse battery';

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let owner: Page;
let colleague: Page;

beforeAll(async () => {
  dataDir = temporaryFolder('members');
  running = await startDemo(dataDir);
  browser = await launchBrowser();
  const size = { width: 1280, height: 900 };
  owner = await (await browser.newContext({ viewport: size })).newPage();
  colleague = await (await browser.newContext({ viewport: size })).newPage();
  await enter(owner, running.demo);
});
afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const open = (page: Page, path: string) => page.goto(`${running.demo.url}/w/demo/settings/${path}`);
const members = (page: Page) => page.getByRole('list', { name: 'Members' }).getByRole('listitem');

/** The status that the API answers to somebody who is signed in in this browser. */
const answered = (page: Page, method: string, path: string, body: object) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { 'content-type': 'application/json', 'convoke-workspace': 'demo' };
      return (await fetch(path as string, { method: method as string, headers, body: body as string }))
        .status;
    },
    [method, path, JSON.stringify(body)],
  );

describe('a colleague', () => {
  let link: string;

  it('is invited by a link', async () => {
    await open(owner, 'members');
    await owner.getByRole('button', { name: 'Invite' }).click();
    expect(await axeViolations(owner)).toEqual([]);
    await owner.getByRole('button', { name: 'Make a link' }).click();
    link = await owner.getByLabel('Link', { exact: true }).inputValue();
    await owner.getByRole('button', { name: 'Done' }).click();
    await owner.getByRole('list', { name: 'Open invitations' }).getByRole('listitem').waitFor();
  });

  it('comes in from another browser with an account of her own, and is seen at once', async () => {
    await colleague.goto(link);
    await colleague.getByRole('heading', { name: 'Join Demo' }).waitFor();
    expect(await axeViolations(colleague)).toEqual([]);
    await colleague.getByLabel('Your name').fill('Nina Nova');
    await colleague.getByLabel('Username').fill('nina');
    await colleague.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await colleague.getByRole('button', { name: 'Make an account and join' }).click();
    await colleague.getByRole('navigation', { name: 'Places' }).waitFor();
    await members(owner).filter({ hasText: 'Nina Nova' }).waitFor();
    await owner.getByRole('list', { name: 'Open invitations' }).waitFor({ state: 'detached' });
  });

  it('is refused what an owner may', async () => {
    await open(colleague, 'members');
    await members(colleague).first().waitFor();
    expect(await colleague.getByRole('button', { name: 'Invite' }).count()).toBe(0);
    expect(await answered(colleague, 'POST', '/v1/invitations', { role: 'viewer' })).toBe(403);
    expect(await answered(colleague, 'POST', '/v1/workspace/deletion', { slug: 'demo' })).toBe(403);
  });

  it('may more when she is given another role, without signing in anew', async () => {
    await owner.locator('input[aria-label="Role of Nina Nova"]').click();
    await owner.getByRole('option', { name: /^Admin/ }).click();
    await owner.getByText('Nina Nova is admin now.').waitFor();
    expect(await answered(colleague, 'POST', '/v1/invitations', { role: 'viewer' })).toBe(201);
  });

  it('is out when she is removed', async () => {
    await owner.getByRole('button', { name: 'Remove Nina Nova' }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await members(owner).filter({ hasText: 'Nina Nova' }).waitFor({ state: 'detached' });
    await colleague.goto(running.demo.url);
    await colleague.getByRole('heading', { name: 'A new workspace' }).waitFor();
    expect(await answered(colleague, 'POST', '/v1/workspace/leave', {})).toBe(404);
  });
});

describe('somebody in no workspace', () => {
  it('deletes the own account, with the password', async () => {
    await colleague.goto(`${running.demo.url}/new-workspace`);
    await colleague.getByRole('link', { name: 'Your account' }).click();
    const ask = colleague.getByRole('button', { name: 'Delete your account' });
    await ask.click();
    const dialog = colleague.getByRole('dialog');
    await dialog.getByLabel('Your password').fill('somebody else’s words');
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await dialog.getByText('The password is wrong.').waitFor();
    expect(await axeViolations(colleague)).toEqual([]);
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await colleague.getByText('Your account is deleted.').waitFor();
    await colleague.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
    await colleague.getByLabel('Username').fill('nina');
    await colleague.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await colleague.getByRole('button', { name: 'Sign in' }).click();
    await colleague.getByRole('alert').waitFor();
  });

  it('is told, as the only owner of a workspace, that somebody else must be one first', async () => {
    await owner.goto(`${running.demo.url}/account`);
    await owner.getByRole('button', { name: 'Delete your account' }).click();
    const dialog = owner.getByRole('dialog');
    await dialog.getByLabel('Your password').fill(running.demo.password);
    await dialog.getByRole('button', { name: 'Delete for good' }).click();
    await dialog.getByText('Nobody else owns demo').waitFor();
    expect(await answered(owner, 'POST', '/v1/invitations', { role: 'viewer' })).toBe(201);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });
});

it('reaches the own account from a closed workspace, as the mails about sign-ins do', async () => {
  expect(await answered(owner, 'POST', '/v1/workspace/deletion', { slug: 'demo' })).toBe(200);
  await owner.goto(`${running.demo.url}/w/demo`);
  await owner.getByRole('heading', { name: 'Demo is closed' }).waitFor();
  await owner.getByRole('button', { name: /^Menu of/ }).click();
  await owner.getByRole('menuitem', { name: 'Your account' }).click();
  await owner.getByRole('button', { name: 'Delete your account' }).waitFor();
  await owner.goto(`${running.demo.url}/devices`);
  await owner.getByRole('heading', { name: 'Where you are signed in' }).waitFor();
  await owner.goto(`${running.demo.url}/new-workspace`);
  await owner.getByRole('link', { name: 'Your account' }).waitFor();
  await owner.goto(`${running.demo.url}/w/demo`);
  await owner.getByRole('button', { name: 'Keep it' }).click();
  await owner.getByRole('navigation', { name: 'Places' }).waitFor();
  await owner.getByRole('heading', { name: 'Demo is closed' }).waitFor({ state: 'detached' });
});

it('leads nowhere by a link that was taken back, and says so', async () => {
  await open(owner, 'members');
  await owner.getByRole('button', { name: 'Invite' }).click();
  await owner.getByRole('button', { name: 'Make a link' }).click();
  const link = await owner.getByLabel('Link', { exact: true }).inputValue();
  await owner.getByRole('button', { name: 'Done' }).click();
  await owner
    .getByRole('button', { name: /^Take back the invitation as agent/ })
    .first()
    .click();
  await owner.getByText('The invitation was taken back.').waitFor();
  await colleague.goto(link);
  const over = colleague.getByRole('heading', { name: 'This invitation is over' });
  await over.waitFor();
  expect(await axeViolations(colleague)).toEqual([]);
});
