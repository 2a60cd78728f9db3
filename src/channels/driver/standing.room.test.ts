import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestKernel, testKernel, testWorkspace } from '../../../test/harness/database.ts';
import { ScriptedProvider, scriptedChannel } from '../../../test/harness/scripted-adapter.ts';
import { until } from '../../../test/harness/until.ts';
import { createLeases, inWorkspace, type Leases, type Scope } from '../../kernel/index.ts';
import type { ConnectionState, Sink } from '../adapters/contract.ts';
import { createChannels, type RunningChannels } from './index.ts';

const CONNECTED: ConnectionState = {
  status: 'connected',
  phone: '+15550000001',
  account: '900000000000001@lid',
  profileName: undefined,
};

describe('what is known of a connection', () => {
  let kernel: TestKernel;
  let scope: Scope;
  let leases: Leases;
  let channels: RunningChannels;
  let sink: Sink;
  let id: string;

  beforeAll(async () => {
    kernel = await testKernel();
  });
  afterAll(async () => kernel.close());
  beforeEach(async () => {
    const { adapter } = new ScriptedProvider();
    const sinks: Sink[] = [];
    const connect: typeof adapter.connect = (_store, given) => {
      sinks.push(given);
      return { send: async () => ({ outcome: 'unknown', cause: 'deaf' }), close: async () => undefined };
    };
    scope = await testWorkspace(kernel);
    id = await scriptedChannel(scope);
    await inWorkspace(scope, tx =>
      tx.updateTable('channels').set({ wanted: 'connected' }).where('id', '=', id).execute(),
    );
    leases = createLeases(kernel);
    channels = createChannels(kernel, { leases, adapters: [{ ...adapter, connect }], lookMs: 20 });
    await channels.start();
    sink = await until(() => sinks[0]);
    sink.state(CONNECTED);
    await sink.caughtUp();
  });
  afterEach(async () => {
    await channels.stop();
    await leases.stop();
    await kernel.database.inEngine('test.clean', tx => tx.deleteFrom('channels').execute());
  });

  const driven = () => channels.drivenById(id);

  it('holds while it is in doubt, and nothing is sent on it then', async () => {
    const before = driven()?.opening();
    sink.state({ status: 'degraded', reason: 'not_answering', stands: true });
    expect(driven()).toBeUndefined();
    sink.state(CONNECTED);
    expect([driven()?.opening(), driven()?.caughtUp()]).toEqual([before, true]);
  });

  it.each<ConnectionState>([
    { status: 'connecting' },
    { status: 'waiting', reason: 'connection_closed', retryAt: new Date() },
    { status: 'degraded', reason: 'unreachable' },
  ])('ends with it: $status', async state => {
    const before = driven()?.opening() ?? 0;
    sink.state(state);
    sink.state(CONNECTED);
    expect(driven()?.opening()).toBeGreaterThan(before);
    expect(driven()?.caughtUp()).toBe(false);
    await sink.caughtUp();
    expect(driven()?.caughtUp()).toBe(true);
  });

  it('is recorded as trouble once for each reason', async () => {
    const degraded = (reason: string) => sink.state({ status: 'degraded', reason });
    for (const reason of ['not_answering', 'not_answering', 'restart_advised']) degraded(reason);
    sink.state(CONNECTED);
    const facts = await until(async () => {
      const rows = await inWorkspace(scope, tx =>
        tx
          .selectFrom('activity')
          .select(['type', 'payload'])
          .where('subject_id', '=', id)
          .orderBy('id')
          .execute(),
      );
      return rows.length === 4 && rows.map(({ type, payload }) => `${type} ${JSON.stringify(payload)}`);
    });
    expect(facts).toEqual([
      'channel.connected {}',
      'channel.degraded {"reason":"not_answering"}',
      'channel.degraded {"reason":"restart_advised"}',
      'channel.connected {}',
    ]);
  });
});
