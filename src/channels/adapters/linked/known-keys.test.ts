import { describe, expect, it } from 'vitest';
import { KnownKeys } from './known-keys.ts';
import { MemoryStore } from './linked.fixture.ts';
import { freshAuth } from './store.ts';

const bytes = (text: string) => Buffer.from(text);
const textOf = async (known: KnownKeys, id: string, type = 'session') => {
  const value = (await known.read(type, [id])).get(id);
  return value && Buffer.from(value).toString();
};

describe('what is known of stored keys', () => {
  it('is asked of the store once, also when there is nothing', async () => {
    const store = new MemoryStore();
    const known = new KnownKeys(store);
    await store.writeKeys([{ type: 'session', id: 'a', value: bytes('1') }], []);
    expect([await textOf(known, 'a'), await textOf(known, 'b')]).toEqual(['1', undefined]);
    store.keys.clear();
    store.keys.set('session|b', bytes('from elsewhere'));
    expect([await textOf(known, 'a'), await textOf(known, 'b')]).toEqual(['1', undefined]);
  });

  it('follows what was stored, and is asked anew when a write failed', async () => {
    const store = new MemoryStore();
    const known = new KnownKeys(store);
    const change = { type: 'session', id: 'a', value: bytes('2') };
    known.written([change]);
    expect(await textOf(known, 'a')).toBe('2');
    known.doubted([change]);
    expect(await textOf(known, 'a')).toBeUndefined();
  });

  it('does not keep what was read beside a write', async () => {
    const store = new MemoryStore();
    store.latencyMs = 10;
    await store.writeKeys([{ type: 'session', id: 'a', value: bytes('old') }], []);
    const known = new KnownKeys(store);
    const reading = textOf(known, 'a');
    const change = { type: 'session', id: 'a', value: bytes('new') };
    known.doubted([change]);
    known.written([change]);
    await reading;
    expect(await textOf(known, 'a')).toBe('new');
  });

  it('does not keep what was read beside a write that failed: it may be stored all the same', async () => {
    const store = new MemoryStore();
    const { keys } = freshAuth(store);
    const read = async () => (await keys.get('session', ['a'])).a?.toString();
    await store.writeKeys([{ type: 'session', id: 'a', value: bytes('"old"') }], []);
    let beside: string | undefined;
    store.writeKeys = async (...change) => {
      beside = await read();
      await MemoryStore.prototype.writeKeys.apply(store, change);
      throw new Error('The answer to the commit is lost.');
    };
    await expect(keys.set({ session: { a: 'new' as never } })).rejects.toThrow('lost');
    expect([beside, await read()]).toEqual(['old', 'new']);
  });

  it('leaves one-time keys to the store', async () => {
    const store = new MemoryStore();
    const known = new KnownKeys(store);
    known.written([{ type: 'pre-key', id: '1', value: bytes('x') }]);
    expect(await textOf(known, '1', 'pre-key')).toBeUndefined();
  });
});
