import { describe, expect, it } from 'vitest';
import { newDraft } from './draft.ts';
import { Drafts } from './drafts.ts';

const now = Date.parse('2026-11-24T07:20:30Z');
const DAY = 86_400_000;

function draft(id: string, changedAt = now) {
  return { ...newDraft(id, now, 'UTC'), changedAt };
}

describe('drafts on this device', () => {
  it('come back after a reload, last changed first', () => {
    const storage = new MemoryStorage();
    const before = new Drafts(storage, 'demo');
    before.write(draft('a', now));
    before.write({ ...draft('b', now + 1), body: 'typed' });
    const after = new Drafts(storage, 'demo');
    expect(after.list().map(one => one.id)).toEqual(['b', 'a']);
    expect(after.read('b')).toEqual({ draft: { ...draft('b', now + 1), body: 'typed' } });
  });

  it('belong to their workspace', () => {
    const storage = new MemoryStorage();
    new Drafts(storage, 'demo').write(draft('a'));
    expect(new Drafts(storage, 'other').list()).toEqual([]);
  });

  it('remember what they became', () => {
    const drafts = new Drafts(new MemoryStorage(), 'demo');
    drafts.write(draft('a'));
    drafts.markSaved('a', 'reminder', now);
    expect(drafts.read('a')).toEqual({ saved: 'reminder', changedAt: now });
    expect(drafts.list()).toEqual([]);
  });

  it('stay the same object until they change, as a view needs it', () => {
    const drafts = new Drafts(new MemoryStorage(), 'demo');
    drafts.write(draft('a'));
    expect(drafts.read('a')).toBe(drafts.read('a'));
    expect(drafts.list()).toBe(drafts.list());
    const before = drafts.list();
    drafts.write(draft('a', now + 5));
    expect(drafts.list()).not.toBe(before);
  });

  it('tell about changes here and in other tabs', () => {
    const storage = new MemoryStorage();
    const [here, there] = [new Drafts(storage, 'demo'), new Drafts(storage, 'demo')];
    let heard = 0;
    here.subscribe(() => heard++);
    here.write(draft('a'));
    there.write({ ...draft('a', now + 1), body: 'from the other tab' });
    here.changedElsewhere('convoke.draft.demo.a');
    here.changedElsewhere('something.else');
    expect(heard).toBe(2);
    expect(here.read('a')).toMatchObject({ draft: { body: 'from the other tab' } });
  });

  it('are forgotten when nobody came back', () => {
    const drafts = new Drafts(new MemoryStorage(), 'demo');
    drafts.write(draft('old', now - 31 * DAY));
    drafts.write(draft('new', now - DAY));
    drafts.markSaved('saved', 'reminder', now - 8 * DAY);
    drafts.tidy(now);
    expect(drafts.list().map(one => one.id)).toEqual(['new']);
    expect(drafts.read('saved')).toBeUndefined();
  });

  it('live on in this tab when the storage is full, and broken ones are none', () => {
    const storage = new MemoryStorage();
    storage.full = true;
    const drafts = new Drafts(storage, 'demo');
    drafts.write({ ...draft('a'), body: 'typed' });
    expect(drafts.read('a')).toMatchObject({ draft: { body: 'typed' } });
    storage.full = false;
    storage.setItem('convoke.draft.demo.broken', '{');
    expect(drafts.read('broken')).toBeUndefined();
  });
});

class MemoryStorage implements Storage {
  full = false;
  readonly #values = new Map<string, string>();
  get length() {
    return this.#values.size;
  }
  key(index: number) {
    return [...this.#values.keys()][index] ?? null;
  }
  getItem(key: string) {
    return this.#values.get(key) ?? null;
  }
  setItem(key: string, value: string) {
    if (this.full) throw new Error('QuotaExceededError');
    this.#values.set(key, value);
  }
  removeItem(key: string) {
    this.#values.delete(key);
  }
  clear() {
    this.#values.clear();
  }
}
