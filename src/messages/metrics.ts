import { sql } from 'kysely';
import type { Channels } from '../channels/index.ts';
import type { Kernel, Metrics } from '../kernel/index.ts';

/** Shows how far the channels that can send from this node are behind with what is due. */
export function showMessages(metrics: Metrics, kernel: Kernel, channels: Pick<Channels, 'driven'>): void {
  const lag = metrics.gauge({
    name: 'convoke_channel_outbound_lag_seconds',
    help: 'How long the oldest delivery has been due and is not on the wire',
    labels: ['channel_id'],
  });
  metrics.onRead(async () => {
    const ids = channels.driven().map(({ channelId }) => channelId);
    const late = await lateness(kernel, ids);
    lag.show(ids.map(id => ({ labels: { channel_id: id }, value: late.get(id) ?? 0 })));
  });
}

async function lateness(kernel: Kernel, channelIds: string[]): Promise<Map<string, number>> {
  if (channelIds.length === 0) return new Map();
  const { rows } = await kernel.database.inEngine('messages.metrics', tx =>
    sql<{ id: string; seconds: number }>`
      select c.id, extract(epoch from now() - d.due_at)::float8 as seconds
      from unnest(${channelIds}::uuid[]) as c(id)
      cross join lateral (
        select due_at from due_work where kind = 'delivery' and lane = c.id order by due_at limit 1
      ) d
      where d.due_at < now()
    `.execute(tx),
  );
  return new Map(rows.map(row => [row.id, row.seconds]));
}
