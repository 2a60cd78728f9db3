type Kept = { value: unknown; until: number };

/** By what they hold. */
export type Caches = { readonly [holds: string]: BoundedCache };

/** A cache with a lifetime and a size, in the shape that Baileys asks for; its own caches have no size. */
export class BoundedCache {
  readonly #kept = new Map<string, Kept>();
  readonly #ttlMs: number;
  /** How many entries it may have; the oldest gives way. */
  readonly limit: number;

  constructor(limit: number, ttlMs: number) {
    this.limit = limit;
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#kept.size;
  }

  get<T>(key: string): T | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (kept.until > performance.now()) return kept.value as T;
    this.#kept.delete(key);
    return undefined;
  }

  set<T>(key: string, value: T, ttlMs = this.#ttlMs): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, until: performance.now() + ttlMs });
    if (this.#kept.size <= this.limit) return;
    const oldest = this.#kept.keys().next();
    if (!oldest.done) this.#kept.delete(oldest.value);
  }

  del(key: string): void {
    this.#kept.delete(key);
  }

  flushAll(): void {
    this.#kept.clear();
  }

  clear(): void {
    this.#kept.clear();
  }

  async mget<T>(keys: string[]): Promise<Record<string, T | undefined>> {
    return Object.fromEntries(keys.map(key => [key, this.get<T>(key)]));
  }

  mset<T>(entries: { key: string; value: T }[]): void {
    for (const { key, value } of entries) this.set(key, value);
  }
}
