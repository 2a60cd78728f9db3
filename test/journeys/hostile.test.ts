import { rmSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, clientOf, signIn, simulatorClient } from '../harness/api.ts';
import { enter, launchBrowser, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';
import { hostileNames, watchForHarm } from '../harness/hostile.ts';
import { pairChannel } from '../harness/pairing.ts';
import { until } from '../harness/until.ts';

const OWNER = '+15550000001';
const BEN = '+15550000002';
const NAMES = hostileNames(80);
const RECIPIENTS = NAMES.map((_, index) => `+4915112345${String(100 + index)}`);

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let client: Client;
let harm: string[];
let channelId: string;
let reminderId = '';

beforeAll(async () => {
  dataDir = temporaryFolder('hostile');
  running = await startDemo(dataDir);
  client = await signIn(running.demo);
  await furnish();
  browser = await launchBrowser();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  harm = await watchForHarm(context);
  page = await context.newPage();
  await enter(page, running.demo);
});
afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

/** Workspaces, members, contacts, reminders, groups and a channel, named by people who mean harm. */
async function furnish(): Promise<void> {
  const simulator = simulatorClient(running.demo.simulator_url);
  const stranger = clientOf(() => ({ url: running.demo.url, workspace: '', cookie: '' }));
  for (const subject of NAMES) await simulator.call('POST', '/groups', { subject, members: [OWNER] });
  ({ channelId } = await pairChannel(client, simulator, { label: NAMES[0] ?? '', number: OWNER }));
  for (const [index, name] of NAMES.entries()) {
    const phone = RECIPIENTS[index];
    await made('/v1/opt-outs', { phone, name, reason: name });
    const schedule = { start_local: '2031-01-06T08:00', time_zone: 'UTC' };
    const content = { type: 'text', text: { body: name } };
    const reminder = { channel_id: channelId, content, schedule, targets: [{ phone: BEN }] };
    reminderId = (await made<{ id: string }>('/v1/reminders', reminder)).id;
    await made('/v1/workspaces', { name });
    const { link } = await made<{ link: string }>('/v1/invitations', { role: 'viewer' });
    const joining = { name, username: `user${index}`, password: 'five purple umbrellas' };
    await made('/v1/invitations/join', { token: link.split('/').at(-1), ...joining }, stranger);
  }
}

async function made<T>(path: string, body: object, by = client): Promise<T> {
  const answer = await by<T>('POST', path, body);
  if (answer.status > 299)
    throw new Error(`${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** The place comes to show every one of the names, letter by letter. */
async function shows(place: string, names = NAMES): Promise<void> {
  const lacking = async () => {
    const text = await page.locator(place).innerText();
    return names.filter(name => !text.includes(name));
  };
  await expect.poll(lacking, { timeout: 30_000, message: page.url() }).toEqual([]);
}

const open = (path: string) => page.goto(`${running.demo.url}${path}`);

describe('names that would run', () => {
  it.each([
    ['reminders', '/w/demo/reminders'],
    ['contacts', '/w/demo/contacts'],
    ['members', '/w/demo/settings/members'],
  ])('are text in the list of %s', async (_, path) => {
    await open(path);
    await shows('main');
  });

  it('are text in the groups of a channel and in its name', async () => {
    await open(`/w/demo/channels/${channelId}`);
    await shows('main');
  });

  it('are text in the list of workspaces and in what stands around a page', async () => {
    await page.getByRole('button', { name: /^Workspace Demo/ }).click();
    await shows('[role=menu]');
    await page.getByRole('menuitem', { name: NAMES[0] ?? '', exact: true }).click();
    await page.waitForURL(/\/w\/(?!demo)/);
    await shows('header', NAMES.slice(0, 1));
  });

  it('are text in a dialog, which names what it asks about', async () => {
    await open('/w/demo/settings/members');
    await page.getByRole('button', { name: `Remove ${NAMES[3]}`, exact: true }).click();
    await shows('[role=dialog]', NAMES.slice(3, 4));
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  });

  it('are text on the page of a reminder, in the record and in the console', async () => {
    await open(`/w/demo/reminders/${reminderId}`);
    await shows('main', NAMES.slice(-1));
    await open('/w/demo/settings/audit');
    await shows('main', NAMES.slice(-1));
    await open('/admin');
    await shows('main');
    await page.getByRole('tab', { name: 'Workspaces' }).click();
    await shows('main');
  });

  it('have done nothing on any of these pages, and no page has broken the policy', async () => {
    await open('/docs');
    await open('/nowhere');
    await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor();
    expect(harm).toEqual([]);
  });
});

it('would have been noticed: the same page without its nonce, and a text that runs', async () => {
  const other = await browser.newContext();
  const heard = await watchForHarm(other);
  const bare = await other.newPage();
  await bare.route(`${running.demo.url}/sign-in`, async route => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace(/ nonce="[^"]*"/, '');
    await route.fulfill({ response: answer, body });
  });
  await bare.goto(`${running.demo.url}/sign-in`);
  await bare.getByLabel('Username').waitFor();
  await until(async () => heard.some(what => what.startsWith('policy style-src')), {
    what: () => 'a broken policy',
  });
  await bare.evaluate('ran()');
  expect(heard.at(-1)).toContain('ran at');
});
