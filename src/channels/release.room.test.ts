import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../sim/whatsapp/index.ts';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { until } from '../../test/harness/until.ts';
import { createLeases, inWorkspace, type Leases } from '../kernel/index.ts';
import { createLinkedAdapter } from './adapters/linked/index.ts';
import { createChannels, type RunningChannels } from './driver/index.ts';
import { get, getPairing } from './queries.ts';
import { releaseChannels } from './release.ts';
import { create, startPairing } from './service.ts';

const OWNER = `+${DEMO.owner}`;

let kernel: TestKernel;
let simulator: WhatsAppSimulator;
let leases: Leases;
let channels: RunningChannels;

beforeAll(async () => {
  kernel = await testKernel();
  simulator = await startWhatsAppSimulator();
  leases = createLeases(kernel);
  const adapter = createLinkedAdapter({
    socketUrl: simulator.socketUrl,
    rootKey: simulator.rootKey.toString('hex'),
    sandbox: true,
    log: pino({ level: 'silent' }),
    patience: 0.05,
  });
  channels = createChannels(kernel, { leases, adapters: [adapter], lookMs: 100 });
  await channels.start();
});
afterAll(async () => {
  await channels.stop();
  await leases.stop();
  await simulator.close();
  await kernel.close();
});

it('channels of a workspace that goes are released once their numbers are logged out, and not before', async () => {
  const [scope, other] = [await testWorkspace(kernel), await testWorkspace(kernel)];
  const [linked, bare, foreign] = [
    await create(scope, { kind: 'linked', label: 'School' }),
    await create(scope, { kind: 'linked', label: 'Bare' }),
    await create(other, { kind: 'linked', label: 'Other' }),
  ];
  await startPairing(scope, linked, { method: 'qr' });
  simulator.scan(OWNER, await until(async () => (await getPairing(scope, linked)).qr));
  await until(async () => (await get(scope, linked)).status === 'connected');
  expect(await releaseChannels(scope)).toBe(false);
  await until(() => releaseChannels(scope), { what: () => 'all channels to be let go of' });
  expect(simulator.phones().find(phone => phone.number === OWNER)?.linked).toEqual([]);
  const left = await inWorkspace(scope, tx => tx.selectFrom('channel_credentials').selectAll().execute());
  expect(left).toEqual([]);
  for (const id of [linked, bare]) await expect(get(scope, id)).rejects.toMatchObject({ code: 'not_found' });
  expect(await get(other, foreign)).toMatchObject({ label: 'Other' });
});
