import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../test/harness/database.ts';
import { ScriptedChannels, ScriptedProvider, scriptedChannel } from '../../test/harness/scripted-adapter.ts';
import { createMetrics, newId, type Scope } from '../kernel/index.ts';
import { showMessages } from './metrics.ts';

describe('the metrics of messages', () => {
  let kernel: TestKernel;
  let scope: Scope;

  beforeAll(async () => {
    kernel = await testKernel();
    scope = await testWorkspace(kernel);
  });
  afterAll(async () => kernel.close());

  async function due(channelId: string, secondsAgo: number): Promise<void> {
    await kernel.database.inEngine('test.due', tx =>
      tx
        .insertInto('due_work')
        .values({
          workspace_id: scope.workspaceId,
          kind: 'delivery',
          subject_id: newId(),
          lane: channelId,
          due_at: new Date(Date.now() - secondsAgo * 1000),
        })
        .execute(),
    );
  }

  it('tell how far a channel that can send is behind with what is due', async () => {
    const provider = new ScriptedProvider();
    const channels = new ScriptedChannels();
    const ids = [await scriptedChannel(scope), await scriptedChannel(scope), await scriptedChannel(scope)];
    const [behind = '', planned = '', away = ''] = ids;
    for (const id of [behind, planned]) channels.connect(provider, scope, id);
    await due(behind, 90);
    await due(behind, 30);
    await due(planned, -3_600);
    await due(away, 600);
    const metrics = createMetrics(kernel.log);
    showMessages(metrics, kernel, channels);
    const shown = (await metrics.read())
      .split('\n')
      .filter(line => line.startsWith('convoke_channel_outbound_lag_seconds{'));
    expect(shown).toHaveLength(2);
    const lagOf = (id: string) => Number(shown.find(line => line.includes(id))?.split(' ')[1]);
    expect(lagOf(planned)).toBe(0);
    expect(lagOf(behind)).toBeGreaterThan(80);
    expect(lagOf(behind)).toBeLessThan(300);
  });
});
