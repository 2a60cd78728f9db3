import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, signIn, simulatorClient } from '../harness/api.ts';
import { enter, launchBrowser, problemsOfPage, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';
import { watchForHarm } from '../harness/hostile.ts';
import { until } from '../harness/until.ts';

const OWNER = '+15550000001';
const TEXT = 'Swimming lesson today: bring a towel and a *healthy* snack.';

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let harm: string[];
let client: Client;
let simulator: ReturnType<typeof simulatorClient>;

beforeAll(async () => {
  dataDir = temporaryFolder('main-job');
  running = await startDemo(dataDir);
  browser = await launchBrowser();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: 'Europe/Berlin' });
  harm = await watchForHarm(context);
  page = await context.newPage();
  client = await signIn(running.demo);
  simulator = simulatorClient(running.demo.simulator_url);
});

afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

/** The text of the code now on show, as the sandbox offers it for virtual phones. */
async function shownCode(): Promise<string> {
  const field = page.getByLabel('Code for the virtual phone');
  await field.waitFor({ timeout: 30_000 });
  return field.inputValue();
}

async function openWizard(): Promise<void> {
  await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Reminders' }).click();
  await page.getByRole('link', { name: 'New reminder' }).first().click();
  await page.getByRole('heading', { name: 'Which number shall send it?' }).waitFor();
}

describe('the main job, through the page', () => {
  it('signs in', async () => {
    await enter(page, running.demo);
    expect(new URL(page.url()).pathname).toMatch(/^\/w\/demo\//);
  });

  it('pairs a number: the virtual phone scans the live code, and the page moves on by itself', async () => {
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Channels' }).click();
    await page.getByRole('link', { name: 'New channel' }).first().click();
    await page.getByLabel('Name').fill('School office');
    await page.getByRole('button', { name: 'Create and pair' }).click();
    await page.getByTestId('pairing-qr').waitFor({ timeout: 30_000 });
    const code = await shownCode();

    const phone = await context.newPage();
    await phone.goto(running.demo.simulator_url);
    const handset = phone.getByRole('region', { name: /Olivia/ });
    await handset.getByRole('button', { name: 'Linked devices' }).first().click();
    await handset.getByLabel('Paste the code that Convoke shows').fill(code);
    await page.bringToFront();

    await page.waitForURL(/\/channels\/[0-9a-f-]{36}$/, { timeout: 30_000 });
    await page.getByTestId('channel-status').filter({ hasText: 'Connected' }).waitFor({ timeout: 30_000 });
    await page.getByText('+1 555 000 0001').first().waitFor();
    await page.getByText('Class 3A').waitFor();
    await page.getByText('Class 3B').waitFor();
    await phone.close();
    const { body } = await client<{ data: { status: string; phone: string }[] }>('GET', '/v1/channels');
    expect(body.data).toMatchObject([{ status: 'connected', phone: OWNER }]);
  });

  it('schedules a reminder one minute ahead to both groups, saved once however often Save is pressed in two tabs', async () => {
    await openWizard();
    await page.getByRole('radio', { name: /School office/ }).check();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Message', { exact: true }).fill(TEXT);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('In one minute').click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('checkbox', { name: /Class 3A/ }).check();
    await page.getByRole('checkbox', { name: /Class 3B/ }).check();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('heading', { name: 'Is everything right?' }).waitFor();
    const draft = page.url();
    expect(draft).toMatch(/\/reminders\/new\/[0-9a-f-]{36}/);

    const twin = await context.newPage();
    await twin.goto(draft);
    await twin.getByRole('button', { name: 'Save reminder' }).waitFor();
    const hammer = (tab: Page) =>
      tab.evaluate(() => {
        const save = [...document.querySelectorAll('button')].find(
          button => button.textContent?.trim() === 'Save reminder',
        );
        for (let press = 0; press < 10; press++) save?.click();
      });
    await Promise.all([hammer(page), hammer(twin)]);
    await page.waitForURL(/\/reminders\/[0-9a-f-]{36}$/, { timeout: 30_000 });
    await twin.close();
    const reminders = await client<{ data: { id: string }[] }>('GET', '/v1/reminders');
    expect(reminders.body.data).toHaveLength(1);
  });

  it('lands on the virtual phones exactly once, and the whole journey is on the Activity page without a reload', async () => {
    const expected = 3;
    const arrived = await until(
      async () => {
        const entries = (await simulator.ledger()).filter(entry => entry.text === TEXT);
        return entries.length >= expected && entries;
      },
      { within: 90_000, what: () => `the reminder to arrive\n${running.output()}` },
    );
    expect(arrived.map(entry => [entry.from, entry.copies])).toEqual(arrived.map(() => [OWNER, 1]));
    expect(new Set(arrived.map(entry => `${entry.chat} ${entry.to}`)).size).toBe(expected);

    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Activity' }).click();
    await page
      .getByRole('link', { name: /Class 3A/ })
      .first()
      .click();
    const timeline = page.getByTestId('delivery-timeline');
    await timeline
      .getByText(/2 of 2/)
      .first()
      .waitFor({ timeout: 30_000 });
    expect(await timeline.innerText()).toMatch(
      /Taken by Convoke[\s\S]*Sent to WhatsApp[\s\S]*On the recipient/i,
    );

    const phones = await simulator.call<{
      data: { number: string; chats: { id: string; name: string }[] }[];
    }>('GET', '/phones');
    for (const { number, chats } of phones.data.filter(phone => phone.number !== OWNER)) {
      const chat = chats.find(one => one.name === 'Class 3A');
      if (chat) await simulator.call('POST', `/phones/${encodeURIComponent(number)}/read`, { chat: chat.id });
    }
    await timeline.locator('[data-step="read"][data-state="done"]').waitFor({ timeout: 30_000 });
    await new Promise(resolve => setTimeout(resolve, 2_000));
    const after = (await simulator.ledger()).filter(entry => entry.text === TEXT);
    expect(after).toHaveLength(expected);
    expect(after.every(entry => entry.copies === 1)).toBe(true);
  });

  it('plans in the zone of the profile, wherever the browser is', async () => {
    await client('PATCH', '/v1/me', { time_zone: 'Pacific/Auckland' });
    await page.goto(`${running.demo.url}/w/demo/reminders/new/${randomUUID()}?step=when`);
    await page.getByRole('radio', { name: 'At a date and time' }).check();
    expect(await page.getByRole('combobox', { name: 'Time zone' }).inputValue()).toBe('Pacific/Auckland');
    await client('PATCH', '/v1/me', { time_zone: null });
  });

  it('reads well for everybody: no axe violation on any page, phone and desktop, light and dark', async () => {
    const { body: channels } = await client<{ data: { id: string }[] }>('GET', '/v1/channels');
    const { body: reminders } = await client<{ data: { id: string }[] }>('GET', '/v1/reminders');
    const { body: messages } = await client<{ data: { id: string }[] }>('GET', '/v1/messages');
    const paths = [
      '/w/demo/reminders',
      `/w/demo/reminders/${reminders.data[0]?.id}`,
      '/w/demo/reminders/new',
      '/w/demo/activity',
      `/w/demo/activity/${messages.data[0]?.id}`,
      '/w/demo/channels',
      '/w/demo/channels/new',
      '/w/demo/settings',
      '/w/demo/settings/status',
      `/w/demo/channels/${channels.data[0]?.id}`,
    ];
    const problems: string[] = [];
    for (const path of paths) {
      await page.goto(running.demo.url + path);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      problems.push(...(await problemsOfPage(page)));
    }
    expect(problems).toEqual([]);
  });

  it('has kept to the content policy on all of these pages', () => {
    expect(harm).toEqual([]);
  });
});
