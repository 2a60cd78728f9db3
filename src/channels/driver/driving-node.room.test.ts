import { describe, expect, it } from 'vitest';
import type { WhatsAppSimulator } from '../../../sim/whatsapp/index.ts';
import type { TestKernel } from '../../../test/harness/database.ts';
import {
  BEN,
  type DrivingNode,
  factsOf,
  OWNER,
  onDrivenGround,
} from '../../../test/harness/driven-ground.ts';
import { until } from '../../../test/harness/until.ts';
import type { Kernel, Scope } from '../../kernel/index.ts';
import { getPairing } from '../queries.ts';
import { startPairing } from '../service.ts';

let kernel: TestKernel;
let node: DrivingNode;
let scope: Scope;
let simulator: WhatsAppSimulator;

const { becomes, channel, devices, newChannel, pair, qrOf, sendTo, startNode } = onDrivenGround(ground => {
  ({ kernel, node, scope, simulator } = ground);
});

describe('a node that drives channels', () => {
  it('tells how its channels fare, and keeps no more than it may', async () => {
    const id = await pair(OWNER);
    await sendTo(id, BEN, 'Hello');
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    simulator.send(BEN, OWNER, 'damaged at first');
    await until(() => node.inbound.some(({ kind }) => kind === 'text'));
    const [vitals] = node.channels.vitals();
    expect(vitals).toMatchObject({
      channelId: id,
      status: 'connected',
      caughtUp: true,
      decryptFailures: 1,
      deafSockets: 0,
    });
    const sizes = new Map(vitals?.caches.map(({ holds, size }) => [holds, size]));
    expect(sizes.get('on_whatsapp')).toBe(1);
    expect(sizes.get('addresses')).toBeGreaterThan(0);
    expect(vitals?.caches.filter(({ size, limit }) => size > limit)).toEqual([]);
  });

  it('comes back after a restart without a new code, and tells what it is while nobody drives it', async () => {
    const id = await pair(OWNER);
    await node.stop();
    expect(await channel(id)).toMatchObject({ status: 'connecting', status_reason: 'restarting' });
    simulator.send(BEN, OWNER, 'while you were away');
    node = await startNode(kernel, simulator);
    await becomes(id, 'connected');
    await until(() => node.inbound.length === 1);
    expect(node.inbound).toMatchObject([{ text: 'while you were away' }]);
    expect(await sendTo(id, BEN, 'back again')).toMatchObject({ outcome: 'accepted' });
    expect(devices(OWNER)).toHaveLength(1);
  });

  it('halts a pairing that was on show when the program ended', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' });
    await qrOf(id);
    await node.stop();
    node = await startNode(kernel, simulator);
    await becomes(id, 'unpaired');
    expect(await channel(id)).toMatchObject({ status_reason: 'pairing_interrupted' });
    expect(await getPairing(scope, id)).toMatchObject({ step: 'failed', reason: 'interrupted' });
  });

  it('two nodes share the channels, and only one holds a connection of each', async () => {
    const other = await startNode(
      { ...kernel, node: { id: 'other', bootId: crypto.randomUUID() } },
      simulator,
    );
    const ids = [await pair(OWNER, 'One'), await pair(BEN, 'Two')];
    const driven = () =>
      [node, other].flatMap(({ channels }) => channels.driven().map(({ channelId }) => channelId));
    await until(() => driven().length === 2);
    expect(driven().sort()).toEqual([...ids].sort());
    await node.stop();
    await until(() => other.channels.driven().length === 2);
    expect(simulator.connections().open).toHaveLength(2);
    expect(simulator.connections().closed.map(({ reason }) => reason)).not.toContain('replaced');
    await other.stop();
  });

  it('shows that it is connected although the database was away for a moment just then', async () => {
    await node.stop();
    let away = 2;
    const database = new Proxy(kernel.database, {
      get: (target, key) => {
        if (key !== 'inEngine') return Reflect.get(target, key, target);
        const inEngine: Kernel['database']['inEngine'] = (name, work) =>
          name === 'channels.write_status' && away-- > 0
            ? Promise.reject(new Error('connection refused'))
            : target.inEngine(name, work);
        return inEngine;
      },
    });
    node = await startNode({ ...kernel, database }, simulator);
    await pair(OWNER);
    expect(away).toBeLessThan(0);
  });

  it('tells once per connection that a channel has caught up with what had waited for it', async () => {
    const told: string[] = [];
    const deaf = node.channels.onCaughtUp(channelId => told.push(channelId));
    const id = await pair(OWNER);
    await until(() => node.channels.drivenById(id)?.caughtUp());
    expect(told).toEqual([id]);
    const before = node.channels.drivenById(id);
    simulator.setFaults({ cut: true });
    await until(() => told.length === 2);
    deaf();
    expect(told).toEqual([id, id]);
    expect(node.channels.drivenById(id)?.caughtUp()).toBe(true);
    await node.stop();
    expect(before?.caughtUp()).toBe(false);
  });

  it('shows a deaf connection and records it, and goes on when it hears again', async () => {
    await node.stop();
    node = await startNode(kernel, simulator, { everyMs: 100, againMs: 50, answerMs: 500 });
    const id = await pair(OWNER);
    simulator.setFaults({ number: OWNER, deaf: true });
    await until(async () => (await factsOf(scope)).includes('channel.degraded'));
    expect(node.channels.driven()).toEqual([]);
    simulator.setFaults({ clear: true });
    await becomes(id, 'connected');
    expect(await sendTo(id, BEN, 'heard again')).toMatchObject({ outcome: 'accepted' });
  });

  it('tells its listeners when a channel begins and ceases to be able to send', async () => {
    const seen: number[] = [];
    const deaf = node.channels.onChange(() => seen.push(node.channels.driven().length));
    const id = await pair(OWNER);
    simulator.setFaults({ cut: true });
    await until(() => seen.length >= 3);
    deaf();
    expect(seen.slice(0, 3)).toEqual([1, 0, 1]);
    await becomes(id, 'connected');
    expect((await factsOf(scope)).filter(type => type.startsWith('channel.'))).toEqual([
      'channel.created',
      'channel.pairing_started',
      'channel.paired',
      'channel.connected',
      'channel.disconnected',
      'channel.connected',
    ]);
  });
});
