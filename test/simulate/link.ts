import { CommitUnknown } from '../../src/kernel/index.ts';
import type { Books } from '../../src/messages/book/index.ts';
import { memoryBook, type Proof } from './memory-book.ts';
import type { Process } from './process.ts';
import type { Store, Transaction } from './store.ts';
import type { MemoryDatabase } from './tables.ts';
import type { World } from './world.ts';

/** The way to the database is gone, or too slow to be waited for. */
class LinkFault extends Error {}

/** How often something goes wrong on the way, per message, while faults are on. */
export type LinkTrouble = {
  lostRequest: number;
  lostAnswer: number;
  refusedCommit: number;
  slow: number;
};

export const NO_TROUBLE: LinkTrouble = { lostRequest: 0, lostAnswer: 0, refusedCommit: 0, slow: 0 };

const PATIENCE_MS = 8_000;
const RERUNS = 3;

/** The way of one node to the database: it takes time, and loses requests and answers. */
export class Link {
  readonly #world: World;
  readonly #db: MemoryDatabase;
  trouble: LinkTrouble = NO_TROUBLE;
  cutUntil = 0;
  /** A transaction that says nothing for so long is ended by the database. */
  readonly #idleMs: number;

  constructor(world: World, db: MemoryDatabase, idleMs: number) {
    this.#world = world;
    this.#db = db;
    this.#idleMs = idleMs;
  }

  get #isCut(): boolean {
    return this.cutUntil > this.#world.now;
  }

  /** Sends the work to the database and waits for the answer; either may be lost, and the caller cannot tell which. */
  ask<T>(process: Process, work: () => Promise<T> | T, withinMs = PATIENCE_MS): Promise<T> {
    const { random } = this.#world;
    const { trouble } = this;
    if (!process.isAlive) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      let over = false;
      const end = (how: () => void) =>
        process.post(() => {
          if (over) return;
          over = true;
          noMorePatience();
          how();
        });
      const giveUp = () => end(() => reject(new LinkFault('The database does not answer.')));
      const noMorePatience = this.#world.after(withinMs, giveUp);
      if (this.#isCut || random.chance(trouble.lostRequest)) {
        this.#world.after(random.between(1, 2_000), giveUp);
        return;
      }
      const way = () =>
        random.between(0.1, 2) * (random.chance(trouble.slow) ? random.between(10, 2_000) : 1);
      const back = way();
      const isLost = random.chance(trouble.lostAnswer);
      const answer = (how: () => void) => {
        if (isLost || this.#isCut) this.#world.after(random.between(1, 2_000), giveUp);
        else this.#world.after(back, () => (this.#isCut ? giveUp() : end(how)));
      };
      this.#world.after(way(), () => {
        if (this.#isCut) return giveUp();
        Promise.resolve()
          .then(work)
          .then(
            result => answer(() => resolve(result)),
            error => answer(() => reject(error)),
          );
      });
    });
  }

  /** A transaction of its own for one call. */
  carry(process: Process): <T>(work: (tx: Transaction) => Promise<T> | T) => Promise<T> {
    return work => this.ask(process, () => this.#db.store.atomic(process.bootId, work));
  }

  books(process: Process, proof: Proof): Books {
    return {
      open: async (name, work) => {
        for (let run = 1; ; run++) {
          try {
            return await this.#once(process, proof, name, work);
          } catch (error) {
            if (run >= RERUNS || (error as { code?: string }).code !== '40P01') throw error;
          }
        }
      },
    };
  }

  async #once<T>(
    process: Process,
    proof: Proof,
    name: string,
    work: Parameters<Books['open']>[1],
  ): Promise<T> {
    const session = await this.ask(process, () => this.#open(process));
    let fault: unknown;
    let result: T;
    const carry = <R>(statement: (tx: Transaction) => Promise<R> | R) =>
      this.ask(process, () => session.run(statement)).catch(error => {
        fault = error;
        throw error;
      });
    try {
      result = (await work(memoryBook(this.#db, process.bootId, proof, carry))) as T;
      if (fault !== undefined) throw fault;
    } catch (error) {
      void this.ask(process, () => session.abort()).catch(() => undefined);
      throw error;
    }
    try {
      await this.ask(process, () => session.commit(this.#world.random.chance(this.trouble.refusedCommit)));
    } catch (error) {
      throw error instanceof LinkFault ? new CommitUnknown(name, error) : error;
    }
    return result;
  }

  #open(process: Process): Session {
    const session = new Session(this.#world, this.#db.store, process, this.#idleMs);
    process.sessions.add(session);
    return session;
  }
}

/** The database's side of a transaction: ended when nobody speaks any more. */
export class Session {
  readonly tx: Transaction;
  readonly #world: World;
  readonly #process: Process;
  readonly #idleMs: number;
  #noMoreIdling = () => {};

  constructor(world: World, store: Store, process: Process, idleMs: number) {
    this.#world = world;
    this.#process = process;
    this.#idleMs = idleMs;
    this.tx = store.begin(process.bootId);
    this.#idle();
  }

  async run<T>(statement: (tx: Transaction) => Promise<T> | T): Promise<T> {
    this.#noMoreIdling();
    try {
      return await statement(this.tx);
    } finally {
      if (!this.tx.over) this.#idle();
    }
  }

  commit(isRefused: boolean): void {
    this.#noMoreIdling();
    this.#process.sessions.delete(this);
    if (!isRefused) {
      this.tx.commit();
      return;
    }
    this.tx.abort();
    throw new Error('The database ended the transaction before its commit.');
  }

  abort(): void {
    this.#noMoreIdling();
    this.#process.sessions.delete(this);
    this.tx.abort();
  }

  #idle(): void {
    this.#noMoreIdling = this.#world.after(this.#idleMs, () => this.abort());
  }
}
