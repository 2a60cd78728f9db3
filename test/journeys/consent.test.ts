import { rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, signIn, simulatorClient } from '../harness/api.ts';
import { axeViolations, enter, launchBrowser, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';
import { localIn, pairChannel } from '../harness/pairing.ts';
import { until } from '../harness/until.ts';

const OWNER = '+15550000001';
const BEN = '+15550000002';
const CHLOE = '+15550000003';

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let page: Page;
let client: Client;
let simulator: ReturnType<typeof simulatorClient>;
let channelId: string;

beforeAll(async () => {
  dataDir = temporaryFolder('consent');
  running = await startDemo(dataDir, { CONVOKE_PACING: '0' });
  client = await signIn(running.demo);
  simulator = simulatorClient(running.demo.simulator_url);
  ({ channelId } = await pairChannel(client, simulator, { label: 'School office', number: OWNER }));
  browser = await launchBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  await enter(page, running.demo);
});

afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

type Problem = { id: string; code: string; detail: string; errors: { path: string }[] };

const text = (body: string) => ({ type: 'text', text: { body } });
/** What a phone has got from us, oldest first, each with the number of copies. */
const onPhone = async (number: string) =>
  (await simulator.ledger())
    .filter(entry => entry.to === number && entry.from === OWNER)
    .map(entry => `${entry.copies} ${entry.text}`);
const send = (phone: string, body: string) =>
  client<Problem>('POST', '/v1/messages', { channel_id: channelId, to: { phone }, content: text(body) });
const plan = (seconds: number, body: string, phones: string[]) =>
  client<Problem>('POST', '/v1/reminders', {
    channel_id: channelId,
    content: text(body),
    schedule: { start_local: localIn(seconds), time_zone: 'UTC' },
    targets: phones.map(phone => ({ phone })),
  });
const rows = () => page.getByRole('list', { name: 'People who have opted out' }).getByRole('listitem');
const openPlace = (name: string) =>
  page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name }).click();

async function expectReadable(what: string): Promise<void> {
  const problems: string[] = [];
  for (const [width, colorScheme] of [
    [1280, 'light'],
    [390, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.evaluate('Promise.allSettled(document.getAnimations().map(animation => animation.finished))');
    problems.push(...(await axeViolations(page)).map(problem => `${what} ${width}: ${problem}`));
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    if (overflow !== 0) problems.push(`${what} ${width}: scrolls sideways by ${String(overflow)}`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  expect(problems).toEqual([]);
}

describe('who wants no messages', () => {
  it('gets none: STOP on the phone is confirmed once, stands on the page by itself, and keeps out what was planned', async () => {
    await openPlace('Contacts');
    await page.getByRole('heading', { name: 'Nobody has opted out' }).waitFor();
    await expectReadable('empty');
    const planned = await plan(15, 'Bring a towel', [BEN, CHLOE]);
    expect(planned.status).toBe(201);

    await simulator.send(BEN, OWNER, 'Stop!');
    await rows()
      .filter({ hasText: '+1 555 000 0002' })
      .getByText(/Wrote “stop” to School office/)
      .waitFor();
    await until(async () => (await onPhone(BEN)).length > 0, {
      what: () => `a confirmation\n${running.output()}`,
    });
    await simulator.send(BEN, OWNER, 'stop');
    await simulator.send(BEN, OWNER, 'Please stop writing to me');
    await until(async () => (await onPhone(CHLOE)).length > 0, {
      within: 30_000,
      what: () => 'the reminder',
    });

    await openPlace('Activity');
    await page.getByRole('link', { name: /\+1 555 000 0002[\s\S]*Bring a towel/ }).click();
    await page
      .getByTestId('delivery-timeline')
      .getByText(/asked for no more messages/)
      .waitFor();
    expect(await onPhone(CHLOE)).toEqual(['1 Bring a towel']);
    expect(await onPhone(BEN)).toEqual([expect.stringMatching(/^1 You will get no more messages from us/)]);
  });

  it('is refused to every caller with a sentence that says what to do', async () => {
    expect(await send(BEN, 'Hello')).toMatchObject({
      status: 403,
      body: {
        code: 'opted_out',
        detail: expect.stringContaining('Contacts'),
        errors: [{ path: 'to.phone' }],
      },
    });
    expect(await plan(600, 'Hello', [CHLOE, BEN])).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'targets.1.phone' }] },
    });
    expect(await onPhone(BEN)).toHaveLength(1);
  });

  it('is entered by hand with a reason, and written to again once it is lifted with one', async () => {
    await openPlace('Contacts');
    await page.getByRole('link', { name: 'Opt a number out' }).click();
    await page.getByRole('button', { name: 'Opt out' }).click();
    await page.getByText('Type a phone number.').waitFor();
    await page.getByText('Say why, so that others understand it later.').waitFor();
    await expectReadable('form');
    await page.getByLabel('Phone number').fill('+1 555 000 0003');
    await page.getByLabel('Name (optional)').fill('Chloe');
    await page.getByLabel('Reason').fill('Asked at the door');
    await page.getByRole('button', { name: 'Opt out' }).click();
    const chloe = rows().filter({ hasText: 'Chloe' });
    await chloe.getByText('Asked at the door').waitFor();
    await chloe.getByText(/Entered by you/).waitFor();
    expect((await send(CHLOE, 'Hello')).status).toBe(403);
    await expectReadable('list');

    await chloe.getByRole('button', { name: 'Lift the opt-out of Chloe' }).click();
    const dialog = page.getByRole('dialog', { name: 'Write to Chloe again?' });
    await dialog.getByRole('button', { name: 'Lift opt-out' }).click();
    await dialog.getByText('Say why, so that others understand it later.').waitFor();
    await expectReadable('dialog');
    await dialog.getByLabel('Reason').fill('Called and wants them again');
    await dialog.getByRole('button', { name: 'Lift opt-out' }).click();
    await chloe.waitFor({ state: 'detached' });
    expect((await send(CHLOE, 'Welcome back')).status).toBe(202);
    await until(async () => (await onPhone(CHLOE)).includes('1 Welcome back'));
    const { body } = await client<{ data: { payload: { reason?: string } }[] }>(
      'GET',
      '/v1/activity?type=contact.opted_in',
    );
    expect(body.data.map(fact => fact.payload.reason)).toEqual(['Called and wants them again']);
  });

  it('opts in again by writing START, and the page empties by itself', async () => {
    await simulator.send(BEN, OWNER, 'START');
    await page.getByRole('heading', { name: 'Nobody has opted out' }).waitFor();
    expect((await send(BEN, 'Good to have you back')).status).toBe(202);
    await until(async () => (await onPhone(BEN)).length === 3);
    expect((await onPhone(BEN)).slice(1)).toEqual([
      expect.stringMatching(/^1 You will get messages from us again/),
      '1 Good to have you back',
    ]);
  });
});
