import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel } from '../../test/harness/scripted-adapter.ts';
import { createMetrics, inWorkspace, type Scope } from '../kernel/index.ts';
import { showChannels } from './metrics.ts';
import type { ChannelVitals } from './ports.ts';

describe('the metrics of channels', () => {
  let kernel: TestKernel;
  let scope: Scope;
  let vitals: ChannelVitals[];
  let lines: (name: string) => Promise<string[]>;

  beforeAll(async () => {
    kernel = await testKernel();
    scope = await testWorkspace(kernel);
    new ScriptedProvider();
    const metrics = createMetrics(kernel.log);
    showChannels(metrics, kernel, { vitals: () => vitals });
    lines = async name => (await metrics.read()).split('\n').filter(line => line.startsWith(`${name}{`));
  });
  afterAll(async () => kernel.close());

  const channel = (channelId: string, more: Partial<ChannelVitals> = {}): ChannelVitals => ({
    channelId,
    status: 'connected',
    caughtUp: true,
    decryptFailures: 0,
    deafSockets: 0,
    caches: [],
    ...more,
  });

  it('tell of each channel that the node drives, and of all its connections together', async () => {
    const cache = (size: number) => [{ holds: 'devices', size, limit: 100 }];
    vitals = [
      channel('a', { decryptFailures: 2, caches: cache(3) }),
      channel('b', { caches: cache(4), caughtUp: false }),
      channel('c', { status: 'degraded', deafSockets: 3 }),
    ];
    expect(await lines('convoke_connections')).toEqual([
      'convoke_connections{status="connected"} 2',
      'convoke_connections{status="degraded"} 1',
    ]);
    expect(await lines('convoke_channel_decrypt_failures_total')).toContain(
      'convoke_channel_decrypt_failures_total{channel_id="a"} 2',
    );
    expect(await lines('convoke_channel_deaf_sockets_total')).toContain(
      'convoke_channel_deaf_sockets_total{channel_id="c"} 3',
    );
    expect(await lines('convoke_channel_caught_up')).toContain('convoke_channel_caught_up{channel_id="b"} 0');
    expect(await lines('convoke_cache_entries')).toEqual(['convoke_cache_entries{holds="devices"} 7']);
    expect(await lines('convoke_cache_limit')).toEqual(['convoke_cache_limit{holds="devices"} 200']);
  });

  it('tell how long the oldest message has waited for the rooms, of driven channels alone', async () => {
    const [behind, upToDate, elsewhere] = [
      await scriptedChannel(scope),
      await scriptedChannel(scope),
      await scriptedChannel(scope),
    ];
    const waiting = [behind, behind, elsewhere].map((channel_id, i) => ({
      workspace_id: scope.workspaceId,
      channel_id,
      intake_id: idOf(Date.now() - (90 - 60 * i) * 1000),
    }));
    await inWorkspace(scope, tx => tx.insertInto('intake_pending').values(waiting).execute());
    vitals = [channel(behind), channel(upToDate)];
    const shown = await lines('convoke_channel_inbound_lag_seconds');
    expect(shown).toHaveLength(2);
    const lagOf = (id: string) => Number(shown.find(line => line.includes(id))?.split(' ')[1]);
    expect(lagOf(upToDate)).toBe(0);
    expect(lagOf(behind)).toBeGreaterThan(80);
    expect(lagOf(behind)).toBeLessThan(200);
  });
});

/** An id made at this instant; those of the program never go back in time. */
function idOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
