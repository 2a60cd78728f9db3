import { appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createLogger, mintScope, openKernel, readConfig } from '../src/kernel/index.ts';
import { createMessages } from '../src/messages/index.ts';
import { ScriptedChannels, ScriptedProvider } from '../test/harness/scripted-adapter.ts';

export type Orders = {
  url: string;
  key: string;
  workspaceId: string;
  channelId: string;
  ledger: string;
  fence: number;
};

/** A node of the kill -9 part: its far end writes each hand-off to a file, which outlives the process. */
const orders = JSON.parse(process.env.BENCH_ORDERS ?? '{}') as Orders;
const config = readConfig({
  DATABASE_URL: orders.url,
  CONVOKE_MASTER_KEY: orders.key,
  CONVOKE_DATA_DIR: tmpdir(),
});
const kernel = await openKernel(config, createLogger('error'), { onFault: () => process.exit(1) });
await kernel.wake.start();
const provider = new ScriptedProvider();
provider.script = wire => {
  appendFileSync(
    orders.ledger,
    `${JSON.stringify({ text: Buffer.from(wire.payload).toString(), id: wire.providerId, at: Date.now() })}\n`,
  );
  return { outcome: 'accepted', at: new Date(), providerId: wire.providerId };
};
const channels = new ScriptedChannels();
const messages = createMessages(kernel, channels);
messages.start();
const scope = mintScope(kernel, orders.workspaceId, { kind: 'system' });
channels.connect(provider, scope, orders.channelId, orders.fence);
process.send?.('started');

process.once('disconnect', () => void stop());

async function stop(): Promise<void> {
  await messages.stop();
  await kernel.wake.stop();
  await kernel.database.close();
  process.exit();
}
