import { EventEmitter } from 'node:events';
import type { BinaryNode, WASocket } from 'baileys';
import { describe, expect, it } from 'vitest';
import { HoldBack } from './hold-back.ts';

function socketWith(listener: (node: BinaryNode) => unknown) {
  const ws = new EventEmitter();
  ws.on('CB:receipt', listener);
  const come = (id: string) => ws.emit('CB:receipt', { tag: 'receipt', attrs: { id } });
  return { sock: { ws } as unknown as Pick<WASocket, 'ws'>, come };
}

const turn = () => new Promise(resolve => setImmediate(resolve));

describe('what is held back', () => {
  it('is passed on once what comes before is done, and never when that failed', async () => {
    const handled: string[] = [];
    const { sock, come } = socketWith(({ attrs }) => handled.push(attrs.id ?? ''));
    const waits = new Map([
      ['a', Promise.withResolvers<boolean>()],
      ['b', Promise.withResolvers<boolean>()],
    ]);
    new HoldBack().stand(sock, 'receipt', ({ attrs }) => waits.get(attrs.id ?? '')?.promise);
    for (const id of ['a', 'b', 'c']) come(id);
    await turn();
    expect(handled).toEqual(['c']);
    waits.get('a')?.resolve(true);
    waits.get('b')?.resolve(false);
    await turn();
    expect(handled).toEqual(['c', 'a']);
  });

  it('tells for how long Baileys has been at something without finishing anything', async () => {
    const busy = Promise.withResolvers<void>();
    const { sock, come } = socketWith(({ attrs }) => (attrs.id === 'slow' ? busy.promise : undefined));
    const holdBack = new HoldBack();
    holdBack.stand(sock, 'receipt', () => undefined);
    const in60s = () => performance.now() + 60_000;
    come('quick');
    await turn();
    expect(holdBack.stalledMs(in60s())).toBe(0);
    come('slow');
    await turn();
    expect(holdBack.stalledMs(in60s())).toBeGreaterThan(59_000);
    busy.resolve();
    await turn();
    expect(holdBack.stalledMs(in60s())).toBe(0);
  });
});
