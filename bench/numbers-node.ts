import { tmpdir } from 'node:os';
import { createChannels, createLinkedAdapter } from '../src/channels/index.ts';
import { createLeases, createLogger, openKernel, readConfig } from '../src/kernel/index.ts';
import { createMessages } from '../src/messages/index.ts';
import { until } from '../test/harness/until.ts';

/**
 * Memory of the node in MB, once so many numbers are connected and quiet, and how long after its start in ms the last
 * of them was connected.
 */
export type Sample = { numbers: number; rss: number; heap: number; outside: number; connectedMs: number };

const QUIET_MS = 4_000;
const MB = 2 ** 20;

/** The node of the `numbers` benchmark: drives what it is left, and tells its memory when asked. */
const config = readConfig({
  DATABASE_URL: process.env.BENCH_URL,
  CONVOKE_MAX_CHANNELS_PER_NODE: '1000',
  CONVOKE_MASTER_KEY: process.env.BENCH_KEY,
  CONVOKE_DATA_DIR: tmpdir(),
});
const kernel = await openKernel(config, createLogger('error'), { onFault: () => process.exit(1) });
await kernel.wake.start();
const { socketUrl, rootKey } = JSON.parse(process.env.BENCH_WHATSAPP ?? '{}');
const leases = createLeases(kernel);
const adapter = createLinkedAdapter({ socketUrl, rootKey, sandbox: true, log: kernel.log });
const channels = createChannels(kernel, { leases, adapters: [adapter] });
const messages = createMessages(kernel, channels);
channels.plug({ sink: messages.inboundSink, payloads: messages.outboundPayloads });
messages.start();
await channels.start();

process.on('message', ({ numbers }: { numbers: number }) => void sample(numbers));
process.once('disconnect', () => void stop());

async function sample(numbers: number): Promise<void> {
  await until(() => channels.driven().length >= numbers, { within: 120_000 });
  const connectedMs = performance.now();
  await new Promise(resolve => setTimeout(resolve, QUIET_MS));
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const said: Sample = {
    numbers: channels.driven().length,
    rss: rss / MB,
    heap: heapUsed / MB,
    outside: external / MB,
    connectedMs,
  };
  process.send?.(said);
}

async function stop(): Promise<void> {
  await messages.stop();
  await channels.stop();
  await leases.stop();
  await kernel.wake.stop();
  await kernel.database.close();
}
