import type { Stanza } from '../wire/stanza.ts';

type Waiting = { node: Stanza; sent: number };

const MAX_WAITING = 10_000;

/**
 * What the server still owes one companion: kept until the companion confirms it and sent again at the next login,
 * so an inbound message can arrive twice but never get lost.
 */
export class Backlog {
  readonly #waiting = new Map<string, Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  add(node: Stanza): void {
    const key = keyOf(node.tag, node.attrs);
    const sent = this.#waiting.get(key)?.sent ?? 0;
    this.#waiting.delete(key);
    this.#waiting.set(key, { node, sent });
    if (this.#waiting.size > MAX_WAITING) {
      const oldest = this.#waiting.keys().next();
      if (!oldest.done) this.#waiting.delete(oldest.value);
    }
  }

  /** Counts transmissions: a message sent twice (a retry) needs two confirmations. */
  wasSent(node: Stanza): void {
    const waiting = this.#waiting.get(keyOf(node.tag, node.attrs));
    if (waiting) waiting.sent += 1;
  }

  /** All that waits, oldest first. */
  list(): Stanza[] {
    return [...this.#waiting.values()].map(waiting => waiting.node);
  }

  /** The same for a new login; confirmations count from zero again. */
  takeForLogin(): Stanza[] {
    for (const waiting of this.#waiting.values()) waiting.sent = 0;
    return this.list();
  }

  /** The companion's ack of a message that it could not use, of a receipt or of a notification. */
  confirmByAck(ack: Stanza): void {
    const { class: tag = '', to, ...rest } = ack.attrs;
    this.#confirm(keyOf(tag, { ...rest, ...(to ? { from: to } : {}) }));
  }

  /** The companion's delivery receipt confirms one or more messages. */
  confirmMessages(ids: string[]): void {
    for (const id of ids) this.#confirm(keyOf('message', { id }));
  }

  #confirm(key: string): void {
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    waiting.sent -= 1;
    if (waiting.sent <= 0) this.#waiting.delete(key);
  }
}

function keyOf(tag: string, attrs: Record<string, string>): string {
  const { id = '', from = '', participant = '', type = '' } = attrs;
  return tag === 'receipt' ? JSON.stringify([tag, id, from, participant, type]) : JSON.stringify([tag, id]);
}
