import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { startWhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { signIn, simulatorClient } from '../harness/api.ts';
import { temporaryFolder } from '../harness/browser.ts';
import { type ConvokeProcess, completeSetup, startConvokeProcess } from '../harness/convoke-process.ts';
import { connected, localIn, pairChannel } from '../harness/pairing.ts';
import { until } from '../harness/until.ts';

const OWNER = '+15550000001';
const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function world() {
  const simulator = await startWhatsAppSimulator({ port: 0 });
  const dataDir = temporaryFolder('restart');
  cleanups.push(
    () => rmSync(dataDir, { recursive: true, force: true }),
    () => simulator.close(),
  );
  const env = {
    CONVOKE_DATA_DIR: dataDir,
    CONVOKE_SANDBOX: '1',
    CONVOKE_WHATSAPP_URL: simulator.socketUrl,
    CONVOKE_WHATSAPP_ROOT_KEY: Buffer.from(simulator.rootKey).toString('hex'),
  };
  return { control: simulatorClient(simulator.controlUrl), env };
}

async function start(env: Record<string, string>): Promise<ConvokeProcess> {
  const convoke = await startConvokeProcess(env);
  cleanups.push(() => convoke.end('SIGKILL'));
  return convoke;
}

describe.each(['SIGTERM', 'SIGKILL'] as const)('%s between pairing and the instant', signal => {
  it('needs no new QR code, and the reminder fires once', async () => {
    const { control, env } = await world();
    const first = await start(env);
    const account = await completeSetup(first, 'correct horse battery');
    const client = await signIn(account);
    const { channelId, groups } = await pairChannel(client, control, { label: 'Office', number: OWNER });
    const reminder = await client<{ id: string }>('POST', '/v1/reminders', {
      channel_id: channelId,
      content: { type: 'text', text: { body: `After ${signal}` } },
      schedule: { start_local: localIn(15), time_zone: 'UTC' },
      targets: groups.map(group => ({ group_id: group.id })),
    });
    expect(reminder.status).toBe(201);

    const code = await first.end(signal);
    if (signal === 'SIGTERM') expect(code).toBe(0);
    const second = await start(env);
    const again = await signIn({ ...account, url: second.url });
    await connected(again, channelId);
    const pairing = await again<{ step: string }>('GET', `/v1/channels/${channelId}/pairing`);
    expect(pairing.body.step).toBe('done');

    const seen = await until(
      async () => {
        const runs = await again<{ data: { outcomes: Record<string, number> }[] }>(
          'GET',
          `/v1/reminders/${reminder.body.id}/runs`,
        );
        return runs.body.data[0]?.outcomes.delivered === groups.length && control.ledger();
      },
      { within: 25_000, what: () => `the run\n${second.output()}` },
    );
    const arrived = seen.filter(entry => entry.text === `After ${signal}`);
    const people = new Set(arrived.map(entry => `${entry.chat} ${entry.to}`));
    expect(people.size).toBe(arrived.length);
    expect(arrived.length).toBeGreaterThanOrEqual(groups.length);
    expect(arrived.every(entry => entry.copies === 1)).toBe(true);
  });
});
