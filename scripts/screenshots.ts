import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { type Client, signIn, simulatorClient } from '../test/harness/api.ts';
import { enter, launchBrowser, temporaryFolder } from '../test/harness/browser.ts';
import { type Demo, startDemo } from '../test/harness/demo-process.ts';
import { localIn, pairChannel } from '../test/harness/pairing.ts';
import { until } from '../test/harness/until.ts';

/** `npm run screenshots`: the pictures of the README, taken from the running demo. */
const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const OWNER = '+15550000001';
const ZONE = 'Europe/Berlin';

mkdirSync(folder, { recursive: true });
const dataDir = temporaryFolder('screenshots');
const running = await startDemo(dataDir);
const browser = await launchBrowser();
try {
  await furnish(running.demo);
  await takeAll(browser, running.demo);
} finally {
  await browser.close();
  await running.end('SIGTERM');
  rmSync(dataDir, { recursive: true, force: true });
}

async function furnish(demo: Demo): Promise<void> {
  const client = await signIn(demo);
  const simulator = simulatorClient(demo.simulator_url);
  const { channelId, groups } = await pairChannel(client, simulator, {
    label: 'School office',
    number: OWNER,
  });
  const [first, second] = groups;
  const plan = (body: string, start: string, rrule: string | null, ids: (string | undefined)[]) =>
    client('POST', '/v1/reminders', {
      channel_id: channelId,
      content: { type: 'text', text: { body } },
      schedule: { start_local: start, time_zone: ZONE, rrule },
      targets: ids.flatMap(id => (id === undefined ? [] : [{ group_id: id }])),
    });
  await plan('*Swimming today.* Bring a towel.', '2027-01-04T07:30', 'FREQ=WEEKLY;BYDAY=MO', [
    first?.id,
    second?.id,
  ]);
  await plan('Lunch money for next month is due.', '2027-01-29T16:00', 'FREQ=MONTHLY;BYMONTHDAY=-1', [
    first?.id,
  ]);
  await plan('Parents’ evening starts at 19:00 in the hall.', '2027-02-09T17:00', null, [second?.id]);
  const now = await client<{ id: string }>('POST', '/v1/reminders', {
    channel_id: channelId,
    content: { type: 'text', text: { body: 'The trip starts at *8:15* at the north gate.' } },
    schedule: { start_local: localIn(3), time_zone: 'UTC' },
    targets: groups.map(group => ({ group_id: group.id })),
  });
  await until(async () => (await simulator.ledger()).length >= 3, {
    within: 30_000,
    what: () => 'the ledger',
  });
  await readEverything(simulator);
  await until(async () => (await delivered(client, now.body.id)) === groups.length, {
    what: () => 'the receipts',
  });
}

async function delivered(client: Client, reminderId: string): Promise<number> {
  const page = await client<{ data: { delivery: { status: string } }[] }>(
    'GET',
    `/v1/messages?source_id=${reminderId}`,
  );
  return page.body.data.filter(({ delivery }) => delivery.status === 'read').length;
}

async function readEverything(simulator: ReturnType<typeof simulatorClient>): Promise<void> {
  const { data } = await simulator.call<{ data: { number: string; chats: { id: string }[] }[] }>(
    'GET',
    '/phones',
  );
  for (const { number, chats } of data.filter(phone => phone.number !== OWNER)) {
    for (const { id } of chats)
      await simulator.call('POST', `/phones/${encodeURIComponent(number)}/read`, { chat: id });
  }
}

async function takeAll(by: Browser, demo: Demo): Promise<void> {
  const context = await by.newContext({
    viewport: { width: 1280, height: 800 },
    timezoneId: ZONE,
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await enter(page, demo);
  await take(page, `${demo.url}/w/demo/reminders`, 'reminders');
  await page.goto(`${demo.url}/w/demo/activity`);
  await page
    .getByRole('link', { name: /Class 3A/ })
    .first()
    .click();
  await page.getByTestId('delivery-timeline').waitFor();
  await take(page, undefined, 'delivery');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await take(page, undefined, 'delivery-phone');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`${demo.url}/w/demo/channels/new`);
  await page.getByLabel('Name').fill('Sports club');
  await page.getByRole('button', { name: 'Create and pair' }).click();
  await page.getByTestId('pairing-qr').waitFor();
  await take(page, undefined, 'pairing');
  await take(page, demo.simulator_url, 'virtual-phones');
}

async function take(page: Page, url: string | undefined, name: string): Promise<void> {
  if (url !== undefined) await page.goto(url);
  await page.getByRole('heading').first().waitFor();
  // Streams never go idle; the pictures and fonts of the page have by then.
  await page.waitForTimeout(700);
  await page.screenshot({ path: `${folder}${name}.png` });
  console.log(`docs/images/${name}.png`);
}
