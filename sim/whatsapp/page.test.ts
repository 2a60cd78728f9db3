import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { axeViolations, launchBrowser } from '../../test/harness/browser.ts';
import { Client, until } from './client.fixture.ts';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const BEN_JID = `${DEMO.ben}@s.whatsapp.net`;

describe('the virtual phones in a browser', { timeout: 30_000 }, () => {
  let simulator: WhatsAppSimulator;
  let browser: Browser;
  let page: Page;
  const client = () => new Client(simulator);

  beforeAll(async () => {
    [simulator, browser] = await Promise.all([startWhatsAppSimulator(), launchBrowser()]);
    page = await opened({ width: 1280, height: 900 }, 'light');
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    await simulator.close();
  });

  async function opened(
    viewport: { width: number; height: number },
    colorScheme: 'light' | 'dark',
    query = '',
  ) {
    const context: BrowserContext = await browser.newContext({
      viewport,
      colorScheme,
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(8000);
    const fresh = await context.newPage();
    await fresh.goto(`${simulator.controlUrl}/${query}`);
    await fresh.getByRole('heading', { name: 'Olivia Owner' }).waitFor();
    return fresh;
  }

  function phone(name: string): Locator {
    return page.getByRole('region', { name, exact: true });
  }

  /** A code on the clipboard, pasted somewhere on the page. */
  async function paste(text: string): Promise<void> {
    await page.evaluate(code => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text', code);
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }, text);
  }

  async function showingQr(): Promise<{ device: Client; qr: string }> {
    const device = client();
    device.start();
    await until(() => device.qr !== undefined);
    return { device, qr: device.qr ?? '' };
  }

  it('links a device when its code is pasted, and unlinks it again', async () => {
    const { device, qr } = await showingQr();
    await phone('Olivia Owner').getByRole('button', { name: 'Link a device' }).click();
    await paste(qr);
    await phone('Olivia Owner').getByText('Got it. The device is linked.').waitFor();
    await until(() => device.ending?.code === 515);
    await device.connect();
    await phone('Olivia Owner').getByText('Connected now').waitFor();
    await phone('Olivia Owner').getByRole('button', { name: 'Unlink Chrome (Mac OS), device 1' }).click();
    await until(() => device.ending?.code === 401);
    await phone('Olivia Owner').getByText('No device is linked yet.').waitFor();
  });

  it('says why a code is refused, by scan and by typing', async () => {
    await phone('Olivia Owner').getByLabel('Paste the code that Convoke shows').fill('2@old,AAAA,AAAA,AAAA');
    await phone('Olivia Owner').getByText('no longer valid').waitFor();
    await phone('Olivia Owner').getByLabel('Or enter the code of eight characters').fill('ABC');
    await phone('Olivia Owner').getByRole('button', { name: 'Link', exact: true }).click();
    await phone('Olivia Owner').getByText('A code has eight letters or digits.').waitFor();
    expect(simulator.phones()[0]?.linked).toEqual([]);
  });

  it('links a device by its typed code', async () => {
    const { device } = await showingQr();
    const code = await device.required().requestPairingCode(DEMO.owner);
    await phone('Olivia Owner').getByLabel('Or enter the code of eight characters').fill(code);
    await phone('Olivia Owner').getByRole('button', { name: 'Link', exact: true }).click();
    await phone('Olivia Owner').getByText('That is the code.').waitFor();
    await until(() => device.ending?.code === 515);
    await device.leave().catch(() => undefined);
  });

  it('reads a code from the address', async () => {
    const { device, qr } = await showingQr();
    const other = await opened(
      { width: 390, height: 844 },
      'light',
      `?phone=%2B${DEMO.owner}&scan=${encodeURIComponent(qr)}`,
    );
    await other.getByText('Got it. The device is linked.').waitFor();
    expect(new URL(other.url()).search).toBe('');
    await until(() => device.ending?.code === 515);
    await other.context().close();
  });

  it('shows what arrives, lets its owner answer, and moves the ticks, all live', async () => {
    const device = client();
    await device.pair(OWNER);
    const words = 'Can you drive? <img src=x onerror="document.title=\'broken\'">';
    const sent = await device.required().sendMessage(BEN_JID, { text: words });
    await phone('Ben')
      .getByRole('button', { name: /Olivia Owner.*1 new/ })
      .click();
    await phone('Ben').getByRole('log').getByText(words).waitFor();
    expect(await page.title()).toBe('Virtual phones');
    await until(() => device.status(sent?.key.id ?? '') === 4);
    await phone('Ben').getByRole('textbox', { name: 'Message' }).fill('Yes, four seats');
    await phone('Olivia Owner').getByRole('button', { name: 'Back to the chats' }).click();
    await phone('Olivia Owner').getByText('typing…').waitFor();
    await phone('Ben').getByRole('textbox', { name: 'Message' }).press('Enter');
    await until(() => device.inbox().some(message => message.text === 'Yes, four seats'));
    await phone('Ben').getByTitle('Delivered').waitFor();
    await phone('Olivia Owner')
      .getByRole('button', { name: /Ben.*Yes, four seats/ })
      .click();
    await phone('Ben').getByTitle('Read').waitFor();
    await device.leave();
  });

  it('makes trouble at a switch', async () => {
    await phone('Ben').getByText('Make trouble').click();
    await phone('Ben').getByRole('switch', { name: 'Switched off' }).click();
    await until(() => simulator.faults().offline.includes(BEN));
    await phone('Ben').getByText('Switched off').first().waitFor();
    await phone('Ben').getByRole('switch', { name: 'Switched off' }).click();
    await phone('Ben').getByRole('switch', { name: 'Restricted' }).click();
    await until(() => simulator.faults().numbers[BEN]?.nack?.code === 463);
    expect(simulator.faults().offline).toEqual([]);
    await phone('Ben').getByRole('switch', { name: 'Restricted', checked: true }).waitFor();
    await phone('Ben').getByRole('switch', { name: 'Restricted' }).click();
    await until(() => simulator.faults().numbers[BEN] === undefined);
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('can be read by everybody: %s, %i px', async (scheme, width) => {
    const fresh = await opened({ width, height: 844 }, scheme);
    const first = fresh.getByRole('region', { name: 'Olivia Owner', exact: true });
    await first.getByText('Make trouble').click();
    expect(await axeViolations(fresh)).toEqual([]);
    await first.getByRole('button', { name: /^Ben/ }).click();
    await first.getByRole('log').getByText('Yes, four seats').waitFor();
    expect(await axeViolations(fresh)).toEqual([]);
    await first.getByRole('button', { name: 'Back to the chats' }).click();
    await first.getByRole('button', { name: 'Linked devices' }).click();
    expect(await axeViolations(fresh)).toEqual([]);
    expect(await fresh.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await fresh.context().close();
  });
});
