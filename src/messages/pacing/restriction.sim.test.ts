import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../sim/whatsapp/index.ts';
import { type Client, clientOf, loginOf } from '../../../test/harness/api.ts';
import { completeSetup } from '../../../test/harness/convoke-process.ts';
import { pairChannel } from '../../../test/harness/pairing.ts';
import { until } from '../../../test/harness/until.ts';
import type { Channel } from '../../channels/schema.ts';
import { type Convoke, startConvoke } from '../../main.ts';
import type { Message, Pacing } from '../schema.ts';

const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;

/** The whole program against the simulated WhatsApp. */
describe('a linked number that WhatsApp restricts', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'convoke-restriction-'));
  let simulator: WhatsAppSimulator;
  let convoke: Convoke;
  let client: Client;
  let channelId: string;

  const start = () =>
    startConvoke({
      CONVOKE_PORT: '0',
      CONVOKE_LOG_LEVEL: 'silent',
      CONVOKE_DATA_DIR: dataDir,
      CONVOKE_SANDBOX: '1',
      CONVOKE_WHATSAPP_URL: simulator.socketUrl,
      CONVOKE_WHATSAPP_ROOT_KEY: Buffer.from(simulator.rootKey).toString('hex'),
    });

  beforeAll(async () => {
    simulator = await startWhatsAppSimulator();
    convoke = await start();
    const { url } = convoke;
    const account = await completeSetup(
      { url, setupLink: convoke.setupLink ?? '' },
      'long enough a password',
    );
    const cookie = await loginOf(account);
    client = clientOf(() => ({ url: convoke.url, workspace: 'main', cookie }));
    const scan = async (number: string, qr: string) => simulator.scan(number, qr);
    const paired = await pairChannel(client, { scan }, { label: 'Office', number: `+${DEMO.owner}` });
    channelId = paired.channelId;
  }, 120_000);
  afterAll(async () => {
    await convoke.stop();
    await simulator.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const send = async (phone: string, body: string) => {
    const content = { type: 'text', text: { body } };
    const taken = await client<Message>('POST', '/v1/messages', {
      channel_id: channelId,
      to: { phone },
      content,
    });
    return taken.body.id;
  };
  const message = async (id: string) => (await client<Message>('GET', `/v1/messages/${id}`)).body;
  const channel = async () => (await client<Channel>('GET', `/v1/channels/${channelId}`)).body;
  const ends = (id: string, status: string) =>
    until(async () => (await message(id)).delivery.status === status, { within: 15_000, what: () => status });

  it('pauses, says why and until when, tries nothing meanwhile, and remembers it over a restart', async () => {
    await ends(await send(BEN, 'before'), 'delivered');
    simulator.setFaults({ nack: { code: 463 } });
    const refused = await send(CHLOE, 'too much');
    await ends(refused, 'failed');
    expect((await message(refused)).delivery.reason).toBe('account_restricted');
    await until(async () => (await channel()).status === 'restricted');
    const shown = await channel();
    expect(shown.restriction?.reason).toBe('account_restricted');
    expect(Date.parse(shown.restriction?.until ?? '')).toBeGreaterThan(Date.now() + 60_000);

    const waiting = await send(BEN, 'afterwards');
    const { delivery } = await message(waiting);
    expect(delivery).toMatchObject({ status: 'queued', waiting_for: 'restriction' });
    expect(delivery.waiting_until).toBe(shown.restriction?.until);

    await convoke.stop();
    simulator.setFaults({ clear: true });
    convoke = await start();
    await until(async () => (await channel()).status === 'connected', { within: 15_000 });
    expect((await channel()).restriction?.until).toBe(shown.restriction?.until);
    await new Promise(resolve => setTimeout(resolve, 1_500));
    expect((await message(waiting)).delivery.status).toBe('queued');
    expect(simulator.ledger().map(({ text }) => text)).toEqual(['before']);

    const resumed = await client<Pacing>('POST', `/v1/channels/${channelId}/pacing/resume`);
    expect(resumed.body.restriction).toBeNull();
    await ends(waiting, 'delivered');
  });
});
