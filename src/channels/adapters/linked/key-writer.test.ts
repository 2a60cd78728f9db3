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
});
