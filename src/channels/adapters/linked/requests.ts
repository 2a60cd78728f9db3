import { AsyncLocalStorage } from 'node:async_hooks';
import type { BinaryNode } from 'baileys';
import { BoundedCache } from './bounded-cache.ts';

/** What went wrong while a request is being answered; a fault of our store goes before all others. */
type Answering = { fault: 'none' | 'library' | 'store' };

const current = new AsyncLocalStorage<Answering>();

/** A request that cannot be answered for other reasons than our store is confirmed in the end. */
const TRIES = 5;
/** So often a device gets one message again; phones ask five times. */
const ANSWERS = 10;
const REMEMBERED = 1_000;
const HOUR_MS = 3_600_000;

/** A phone that could not read a message asks for it again. */
export function isRequest(node: BinaryNode): boolean {
  return node.tag === 'receipt' && node.attrs.type === 'retry';
}

/** Whatever our store is asked for: when that fails, the answer that needs it does. */
export async function ofStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const answering = current.getStore();
    if (answering) answering.fault = 'store';
    throw error;
  }
}

/** Baileys has logged an error: it takes that for an answer and confirms the request with its next write. */
export function noteLibraryFault(): void {
  const answering = current.getStore();
  if (answering?.fault === 'none') answering.fault = 'library';
}

/** False once the request that is being answered here has failed: what is written next would confirm it. */
export function mayWriteOn(): boolean {
  return (current.getStore()?.fault ?? 'none') === 'none';
}

/**
 * Sees to it that a phone's request for a message is confirmed only after the message was written once more. What
 * Baileys does for one is followed through all its calls; when something in it fails, nothing more is written on that
 * socket, and the server brings the request again on the next.
 */
export class Requests {
  readonly #failed = new BoundedCache(REMEMBERED, HOUR_MS);
  readonly #answered = new BoundedCache(REMEMBERED, HOUR_MS);

  /**
   * Lets Baileys answer. Why the request is still open, or undefined when it is not. Never rejects. `retries` is where
   * Baileys counts: each answer twice, and confirms the third request without one.
   */
  async answered(
    node: BinaryNode,
    retries: BoundedCache | undefined,
    pass: (node: BinaryNode) => Promise<void>,
  ): Promise<'store_unavailable' | 'unexpected_end' | undefined> {
    const { offline: _, ...attrs } = node.attrs;
    const key = JSON.stringify([attrs.id, attrs.from, attrs.participant]);
    const failures = this.#failed.get<number>(key) ?? 0;
    if (failures >= TRIES) {
      await pass(node);
      return undefined;
    }
    const answers = this.#answered.get<number>(key) ?? 0;
    if (answers < ANSWERS) retries?.del(`${attrs.id}:${attrs.participant ?? attrs.from}`);
    const answering: Answering = { fault: 'none' };
    // Baileys queues what is marked as backlog, and answers it later than it says.
    await current.run(answering, () => pass({ ...node, attrs }).catch(noteLibraryFault));
    if (answering.fault === 'none') {
      this.#failed.del(key);
      this.#answered.set(key, answers + 1);
      return undefined;
    }
    if (answering.fault === 'store') return 'store_unavailable';
    this.#failed.set(key, failures + 1);
    return 'unexpected_end';
  }
}
