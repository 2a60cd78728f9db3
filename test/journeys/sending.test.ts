import { rmSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, signIn, simulatorClient } from '../harness/api.ts';
import { enter, launchBrowser, problemsOfPage, temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, startDemo } from '../harness/demo-process.ts';
import { connected, pairChannel } from '../harness/pairing.ts';
import { until } from '../harness/until.ts';

const OWNER = '+15550000001';
const BEN = '+15550000002';
const AGAIN = 'The bus leaves at eight.';
const UNCLEAR = 'Bring your own cup.';

let dataDir: string;
let running: DemoProcess;
let browser: Browser;
let page: Page;
let client: Client;
let simulator: ReturnType<typeof simulatorClient>;
let channelId: string;

beforeAll(async () => {
  dataDir = temporaryFolder('sending');
  running = await startDemo(dataDir, { CONVOKE_PACING: '0' });
  browser = await launchBrowser();
  client = await signIn(running.demo);
  simulator = simulatorClient(running.demo.simulator_url);
  ({ channelId } = await pairChannel(client, simulator, { label: 'School office', number: OWNER }));
  // Without receipts nothing but the answer could tell that a message has arrived.
  await simulator.call('PATCH', `/phones/${encodeURIComponent(BEN)}`, { auto_delivered: false });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await enter(page, running.demo);
});

afterAll(async () => {
  await browser?.close();
  await running?.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
});

const trouble = (faults: object) => simulator.call('POST', '/faults', { number: OWNER, ...faults });

/** The phone gets it, the answer is lost together with the connection. */
async function sendWithoutAnswer(body: string): Promise<string> {
  await connected(client, channelId);
  await trouble({ cut_before_ack: 1 });
  const sent = await client<{ id: string }>('POST', '/v1/messages', {
    channel_id: channelId,
    to: { phone: BEN },
    content: { type: 'text', text: { body } },
  });
  expect(sent.status).toBe(202);
  return sent.body.id;
}

const deliveryOf = async (id: string) =>
  (await client<{ delivery: { doubt_at: string | null } }>('GET', `/v1/messages/${id}`)).body.delivery;

/** The number does not get its connection back before the work is done. */
async function keptAway(work: () => Promise<void>): Promise<void> {
  let away = true;
  const cutting = (async () => {
    while (away) {
      await trouble({ cut: true });
      await new Promise(resolve => setTimeout(resolve, 200));
    }
  })();
  try {
    await work();
  } finally {
    away = false;
    await cutting;
  }
}

const onPhone = async (body: string) => (await simulator.ledger()).filter(entry => entry.text === body);

async function bubblesOf(body: string): Promise<number> {
  const phones = await simulator.call<{
    data: { number: string; chats: { messages: { text: string }[] }[] }[];
  }>('GET', '/phones');
  const ben = phones.data.find(({ number }) => number === BEN);
  return (ben?.chats ?? []).flatMap(({ messages }) => messages).filter(({ text }) => text === body).length;
}

describe('a message that loses its answer', () => {
  it('is in doubt on the page, goes out again after the reconnect, and is on the phone once', async () => {
    const id = await sendWithoutAnswer(AGAIN);
    await until(async () => (await deliveryOf(id)).doubt_at, { every: 20, what: () => 'the doubt' });
    const timeline = page.getByTestId('delivery-timeline');
    await keptAway(async () => {
      await page.goto(`${running.demo.url}/w/demo/activity/${id}`);
      await timeline.getByText('The connection broke before WhatsApp answered').waitFor({ timeout: 30_000 });
      await timeline.getByText(/Convoke gives this up in .* minutes/).waitFor();
      expect(await page.getByTestId('delivery-status').innerText()).toBe('In doubt');
      expect(await onPhone(AGAIN)).toMatchObject([{ to: BEN, copies: 1 }]);
      expect(await problemsOfPage(page)).toEqual([]);
    });

    await page.getByTestId('delivery-status').filter({ hasText: 'Sent' }).waitFor({ timeout: 30_000 });
    await timeline.getByText('Sent again under the same id').waitFor();
    // Both tries reached the phone, under one id: it is one message, and the screen shows it once.
    expect(await onPhone(AGAIN)).toMatchObject([{ to: BEN, copies: 2 }]);
    expect(await bubblesOf(AGAIN)).toBe(1);
  });
});

describe('a workspace that never sends again by itself', () => {
  it('says so under Settings', async () => {
    await page.getByRole('navigation', { name: 'Places' }).getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('link', { name: /Sending/ }).click();
    const again = page.getByRole('switch', { name: 'Send it again by itself' });
    await again.focus();
    await page.keyboard.press('Space');
    await page.getByText('Saved', { exact: true }).waitFor();
    expect(await again.isChecked()).toBe(false);
    expect((await client('GET', '/v1/sending-policy')).body).toMatchObject({ resend: false });
    expect(await problemsOfPage(page)).toEqual([]);
  });

  it('asks a person, who decides once however often it is pressed', async () => {
    const id = await sendWithoutAnswer(UNCLEAR);
    await page.goto(`${running.demo.url}/w/demo/activity/${id}`);
    const question = page.getByRole('region', { name: 'Did this message arrive?' });
    await question.waitFor({ timeout: 30_000 });
    expect(await problemsOfPage(page)).toEqual([]);
    await connected(client, channelId);

    await question.getByRole('button', { name: 'Send again' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: /Send this to/ });
    await dialog.getByText('This cannot be undone').waitFor();
    await dialog.getByRole('button', { name: 'Send again' }).evaluate(button => {
      for (let press = 0; press < 5; press++) (button as unknown as { click(): void }).click();
    });
    await page.getByTestId('delivery-status').filter({ hasText: 'Sent' }).waitFor({ timeout: 30_000 });
    await question.waitFor({ state: 'detached' });
    expect(await onPhone(UNCLEAR)).toMatchObject([{ to: BEN, copies: 2 }]);
    expect(await bubblesOf(UNCLEAR)).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('says so when somebody else was faster', async () => {
    const id = await sendWithoutAnswer(UNCLEAR);
    await page.goto(`${running.demo.url}/w/demo/activity?outcome=needs_you`);
    await page.getByRole('button', { name: /^Give up/ }).click();
    const dialog = page.getByRole('dialog', { name: /Give up this message/ });
    await dialog.waitFor();
    expect(await problemsOfPage(page)).toEqual([]);
    const faster = await client('POST', `/v1/messages/${id}/resolve`, { as: 'arrived' });
    expect(faster.status).toBe(200);
    await dialog.getByRole('button', { name: 'Give up' }).click();
    await page.getByRole('alert').filter({ hasText: 'It was settled meanwhile' }).waitFor();
    await until(async () => (await page.getByRole('button', { name: /^Give up/ }).count()) === 0);
    await page.goto(`${running.demo.url}/w/demo/activity/${id}`);
    await page.getByText('Marked as arrived').waitFor();
  });
});

describe('a parked channel', () => {
  const KEPT = 'The hall is open again.';

  it('takes messages and keeps them, says why, and goes on when it is armed', async () => {
    await connected(client, channelId);
    await page.goto(`${running.demo.url}/w/demo/channels/${channelId}`);
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Park' }).click();
    await page.getByLabel('Reason').fill('The number moves to another phone.');
    await page.keyboard.press('Tab');
    await page.getByRole('dialog').getByRole('button', { name: 'Park' }).click();
    const card = page.getByTestId('parked');
    await card.getByText('“The number moves to another phone.” By you').waitFor();
    const sent = await client<{ id: string }>('POST', '/v1/messages', {
      channel_id: channelId,
      to: { phone: BEN },
      content: { type: 'text', text: { body: KEPT } },
    });
    expect(sent.status).toBe(202);
    await page.reload();
    await card.getByText('1 message is kept back').waitFor();
    expect(await problemsOfPage(page)).toEqual([]);
    expect(await onPhone(KEPT)).toEqual([]);

    await card.getByRole('button', { name: 'Arm' }).click();
    await page
      .getByRole('dialog', { name: 'Arm School office?' })
      .getByRole('button', { name: 'Arm' })
      .click();
    await card.waitFor({ state: 'detached' });
    await until(async () => (await onPhone(KEPT)).length === 1);
  });
});
