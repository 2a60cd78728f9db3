import { sql } from 'kysely';
import type { Kernel, Metrics, Sample } from '../kernel/index.ts';
import type { RunningChannels } from './driver/index.ts';
import type { ChannelVitals } from './ports.ts';

const ONE = ['channel_id'];

/** Shows how the channels fare that this node drives. */
export function showChannels(
  metrics: Metrics,
  kernel: Kernel,
  channels: Pick<RunningChannels, 'vitals'>,
): void {
  const connections = metrics.gauge({
    name: 'convoke_connections',
    help: 'Channels that this node drives, by what they are doing',
    labels: ['status'],
  });
  const caughtUp = metrics.gauge({
    name: 'convoke_channel_caught_up',
    help: '1 when all that the provider had kept for the connection is stored',
    labels: ONE,
  });
  const unreadable = metrics.counter({
    name: 'convoke_channel_decrypt_failures_total',
    help: 'Inbound messages that could not be read, each try counted',
    labels: ONE,
  });
  const deaf = metrics.counter({
    name: 'convoke_channel_deaf_sockets_total',
    help: 'Sockets that were open and of no use, and were replaced',
    labels: ONE,
  });
  const lag = metrics.gauge({
    name: 'convoke_channel_inbound_lag_seconds',
    help: 'Age of the oldest inbound message that the rooms have not taken yet',
    labels: ONE,
  });
  const entries = metrics.gauge({
    name: 'convoke_cache_entries',
    help: 'Entries of the caches of all connections of this node, by what they hold',
    labels: ['holds'],
  });
  const limits = metrics.gauge({
    name: 'convoke_cache_limit',
    help: 'Most entries that these caches may have together',
    labels: ['holds'],
  });
  metrics.onRead(() => {
    const all = channels.vitals();
    const caches = all.flatMap(one => one.caches);
    connections.show(sums(all, ({ status }) => ({ labels: { status }, value: 1 })));
    caughtUp.show(each(all, one => (one.caughtUp ? 1 : 0)));
    unreadable.show(each(all, one => one.decryptFailures));
    deaf.show(each(all, one => one.deafSockets));
    entries.show(sums(caches, ({ holds, size }) => ({ labels: { holds }, value: size })));
    limits.show(sums(caches, ({ holds, limit }) => ({ labels: { holds }, value: limit })));
  });
  metrics.onRead(async () => {
    const all = channels.vitals();
    const oldest = await oldestWaiting(
      kernel,
      all.map(({ channelId }) => channelId),
    );
    const now = kernel.clock.now().getTime();
    lag.show(each(all, ({ channelId }) => Math.max(0, now - (oldest.get(channelId) ?? now)) / 1000));
  });
}

function each(all: ChannelVitals[], measure: (one: ChannelVitals) => number): Sample[] {
  return all.map(one => ({ labels: { channel_id: one.channelId }, value: measure(one) }));
}

/** One sample for each set of labels. */
function sums<T>(all: T[], sampleOf: (one: T) => Required<Sample>): Sample[] {
  const byLabels = new Map<string, Required<Sample>>();
  for (const { labels, value } of all.map(sampleOf)) {
    const name = JSON.stringify(labels);
    byLabels.set(name, { labels, value: value + (byLabels.get(name)?.value ?? 0) });
  }
  return [...byLabels.values()];
}

/** When the oldest that waits came, in milliseconds: its id is a time. */
async function oldestWaiting(kernel: Kernel, channelIds: string[]): Promise<Map<string, number>> {
  if (channelIds.length === 0) return new Map();
  const { rows } = await kernel.database.inEngine('channels.metrics', tx =>
    sql<{ channel_id: string; oldest: string }>`
      select c.id as channel_id, p.oldest
      from channels c
      cross join lateral (
        select intake_id as oldest from intake_pending
        where workspace_id = c.workspace_id and channel_id = c.id order by intake_id limit 1
      ) p
      where c.id = any(${channelIds}::uuid[])
    `.execute(tx),
  );
  return new Map(
    rows.map(row => [row.channel_id, Number.parseInt(row.oldest.replace('-', '').slice(0, 12), 16)]),
  );
}
