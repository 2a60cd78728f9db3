import { describe, expect, it } from 'vitest';
import { type Ground, onGround, PHONE, text } from '../../test/harness/outbox-ground.ts';
import { until } from '../../test/harness/until.ts';
import { newId } from '../kernel/index.ts';
import type { OutboxOptions } from './outbox.ts';
import * as service from './service.ts';

let kernel: Ground['kernel'];
let scope: Ground['scope'];
let channelId: string;
let provider: Ground['provider'];
const { statusOf, becomes, sendText, sendLater, leftOver, startNode } = onGround(ground => {
  ({ kernel, scope, channelId, provider } = ground);
});

function startConnected(options: OutboxOptions = {}) {
  const node = startNode(kernel, options);
  node.channels.connect(provider, scope, channelId);
  return node;
}

describe('cancelling', () => {
  it('holds back what is still queued, even when it is claimed already', async () => {
    startConnected();
    const [id] = await sendLater({ dueInMs: 700, catchUpMs: 60_000 });
    await until(async () => (await leftOver()).some(row => row.claimed_by !== null));
    await service.cancel(scope, id ?? '');
    const after = await sendText('after', { sendAt: new Date(Date.now() + 900).toISOString() });
    await becomes(after, 'sent');
    expect(provider.texts()).toEqual(['after']);
    expect(await statusOf(id ?? '')).toBe('cancelled');
    expect(await leftOver()).toEqual([]);
  });

  it('is refused once it has left', async () => {
    startConnected();
    const id = await sendText('gone');
    await becomes(id, 'sent');
    await expect(service.cancel(scope, id)).rejects.toMatchObject({ code: 'illegal_state' });
    await expect(service.cancel(scope, newId())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('and sending at the same moment have one winner', async () => {
    startConnected();
    const at = new Date(Date.now() + 400);
    const ids = await service.sendMany(
      scope,
      Array.from({ length: 40 }, (_, n) => ({
        channelId,
        target: { phone: PHONE },
        content: text(`race ${n}`),
        dueAt: at,
        catchUpMs: 60_000,
        source: 'api' as const,
        sourceId: null,
      })),
    );
    await new Promise(resolve => setTimeout(resolve, at.getTime() - Date.now()));
    const results = await Promise.allSettled(ids.map(id => service.cancel(scope, id)));
    await until(async () => {
      const statuses = await Promise.all(ids.map(statusOf));
      return statuses.every(status => status === 'sent' || status === 'cancelled');
    });
    for (const [index, id] of ids.entries()) {
      const cancelled = results[index]?.status === 'fulfilled';
      expect(await statusOf(id)).toBe(cancelled ? 'cancelled' : 'sent');
      expect(provider.texts().includes(`race ${index}`)).toBe(!cancelled);
    }
  });
});
