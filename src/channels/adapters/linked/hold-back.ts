import type { BinaryNode, WASocket } from 'baileys';

type Listener = (node: BinaryNode) => unknown;
type Pass = (node: BinaryNode) => Promise<void>;

/** The emitter below Baileys' client, as it is. */
type Emitter = {
  listeners(event: string): unknown[];
  removeAllListeners(event: string): unknown;
  on(event: string, listener: Listener): unknown;
};

/**
 * Stands between the socket and Baileys' handlers of messages and receipts. Baileys confirms a stanza to the server
 * once it has handled it, so a handler gets to see one only when what it tells has been stored.
 */
export class HoldBack {
  readonly #under = new Set<object>();
  #movedAt = performance.now();

  /**
   * `before` says what has to happen before a stanza is passed on; undefined = nothing. When it comes to false the
   * stanza is never passed on nor confirmed, and the server brings it again on the next connection. `around` may do
   * something about the passing on itself.
   */
  stand(
    sock: Pick<WASocket, 'ws'>,
    tag: string,
    before: (node: BinaryNode) => Promise<boolean> | undefined,
    around: (node: BinaryNode, pass: Pass) => Promise<void> = (node, pass) => pass(node),
  ): void {
    const event = `CB:${tag}`;
    const emitter = sock.ws as unknown as Emitter;
    const listeners = emitter.listeners(event) as Listener[];
    emitter.removeAllListeners(event);
    emitter.on(event, async node => {
      if ((await before(node)) === false) return;
      await around(node, one => this.#pass(one, listeners));
    });
  }

  /** For how long Baileys has been busy with something without finishing anything. */
  stalledMs(now = performance.now()): number {
    return this.#under.size === 0 ? 0 : now - this.#movedAt;
  }

  async #pass(node: BinaryNode, listeners: Listener[]): Promise<void> {
    const turn = {};
    if (this.#under.size === 0) this.#movedAt = performance.now();
    this.#under.add(turn);
    try {
      await Promise.all(listeners.map(listener => listener(node)));
    } finally {
      this.#under.delete(turn);
      this.#movedAt = performance.now();
    }
  }
}
