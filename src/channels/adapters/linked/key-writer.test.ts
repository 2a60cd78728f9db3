import { describe, expect, it } from 'vitest';
import type { KeyChange } from '../contract.ts';
import { KeyWriter } from './key-writer.ts';
import { MemoryStore } from './linked.fixture.ts';

function change(id: string, text: string): KeyChange {
  return { type: 'sender-key', id, value: Buffer.from(text) };
}

describe('the writer of keys', () => {
  it('puts the writes of one tick into one transaction and lets nobody go on before it is stored', async () => {
    const store = new MemoryStore();
    store.latencyMs = 5;
    const writer = new KeyWriter(store);
    let ahead = false;
    const first = writer.write([change('a', '1')]).then(() => {
      ahead = !store.keys.has('sender-key|b');
    });
    await Promise.all([first, writer.write([change('b', '2')]), writer.write([change('a', '3')])]);
    expect(store.writes).toBe(1);
    expect(ahead).toBe(false);
    expect(Buffer.from(store.keys.get('sender-key|a') ?? []).toString()).toBe('3');
  });

  it('collects the next transaction while one is under way', async () => {
    const store = new MemoryStore();
    store.latencyMs = 20;
    const writer = new KeyWriter(store);
    const first = writer.write([change('a', '1')]);
    await new Promise(resolve => setTimeout(resolve, 5));
    const rest = ['b', 'c', 'd'].map(id => writer.write([change(id, '1')]));
    await Promise.all([first, ...rest]);
    expect(store.writes).toBe(2);
  });

  it('tells every caller when the store refuses', async () => {
    const store = new MemoryStore();
    store.refuses = true;
    const writer = new KeyWriter(store);
    const outcomes = await Promise.allSettled([
      writer.write([change('a', '1')]),
      writer.write([change('b', '1')]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    store.refuses = false;
    await writer.write([change('c', '1')]);
    expect([...store.keys.keys()]).toEqual(['sender-key|c']);
  });

  describe('over a store that takes too long', () => {
    function slow() {
      const store = new MemoryStore();
      const holds = [Promise.withResolvers<void>()];
      const writer = new KeyWriter(
        Object.assign(Object.create(store) as MemoryStore, {
          async writeKeys(changes: KeyChange[]) {
            await holds.shift()?.promise;
            await store.writeKeys(changes, []);
          },
        }),
        40,
      );
      return { store, writer, release: holds[0]?.resolve ?? (() => undefined) };
    }
    const storedIn = (store: MemoryStore) => Buffer.from(store.keys.get('sender-key|a') ?? []).toString();

    it('never lets a write that was given up come to lie over a later one', async () => {
      const { store, writer, release } = slow();
      await expect(writer.write([change('a', 'older')])).rejects.toThrow('in time');
      const later = writer.write([change('a', 'newer')]);
      await new Promise(resolve => setTimeout(resolve, 10));
      expect(store.writes).toBe(0);
      release();
      await later;
      expect([store.writes, storedIn(store)]).toEqual([2, 'newer']);
    });

    it('drops what has not begun when its callers give it up', async () => {
      const { store, writer, release } = slow();
      const first = writer.write([change('a', '1')]);
      await new Promise(resolve => setTimeout(resolve, 10));
      const dropped = writer.write([change('a', '2')]);
      await expect(first).rejects.toThrow('in time');
      await expect(dropped).rejects.toThrow('in time');
      release();
      await writer.settled();
      expect([store.writes, storedIn(store)]).toEqual([1, '1']);
    });

    it('keeps readers waiting until it is known what is stored', async () => {
      const { store, writer, release } = slow();
      await writer.write([change('a', '1')]).catch(() => undefined);
      await expect(writer.certain()).rejects.toThrow('in time');
      const certain = writer.certain().then(() => storedIn(store));
      release();
      expect(await certain).toBe('1');
    });

    it('does not wait for it for ever at the end', async () => {
      const { writer } = slow();
      await writer.write([change('a', '1')]).catch(() => undefined);
      await expect(writer.settled()).rejects.toThrow('in time');
    });
  });
});
