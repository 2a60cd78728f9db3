/**
 * A database in memory that keeps what PostgreSQL promises the engine: transactions that happen as a whole, read
 * committed, rows locked until the end, `skip locked`, one reading of `now()` per transaction, deadlocks found.
 */
export class Table<Row extends object> {
  readonly name: string;
  readonly committed = new Map<string, Row>();

  constructor(name: string) {
    this.name = name;
  }
}

export type LockMode = 'key share' | 'no key update' | 'update';

export type Write = {
  table: Table<object>;
  key: string;
  before: object | undefined;
  after: object | undefined;
};

type Waiter = { tx: Transaction; mode: LockMode; resolve: () => void; reject: (error: Error) => void };
type Lock = { holders: Map<Transaction, LockMode>; queue: Waiter[] };

export class Store {
  readonly #locks = new Map<string, Lock>();
  readonly #clock: () => Date;
  /** Sees each commit at its moment, before anybody else can. */
  onCommit: (tx: Transaction, writes: Write[]) => void = () => {};
  deadlocks = 0;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  begin(by: string): Transaction {
    return new Transaction(this, by, this.#clock());
  }

  /** One statement that commits by itself. */
  async atomic<T>(by: string, work: (tx: Transaction) => Promise<T> | T): Promise<T> {
    const tx = this.begin(by);
    try {
      const result = await work(tx);
      tx.commit();
      return result;
    } catch (error) {
      tx.abort();
      throw error;
    }
  }

  tryLock(tx: Transaction, name: string, mode: LockMode): boolean {
    const lock = this.#locks.get(name);
    const others = lock && [...lock.holders].some(([holder, held]) => holder !== tx && conflict(held, mode));
    if (others || lock?.queue.some(waiter => waiter.tx !== tx)) return false;
    this.#grant(tx, name, mode);
    return true;
  }

  lock(tx: Transaction, name: string, mode: LockMode): Promise<void> {
    const lock = this.#locks.get(name);
    const mine = lock?.holders.get(tx);
    if (mine && !isStronger(mode, mine)) return Promise.resolve();
    const inTheWay =
      lock && [...lock.holders].some(([holder, held]) => holder !== tx && conflict(held, mode));
    if (!inTheWay && (mine || !lock || lock.queue.length === 0)) {
      this.#grant(tx, name, mode);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      lock?.queue.push({ tx, mode, resolve, reject });
      tx.waitsFor = name;
      if (!this.#isCircle(tx)) return;
      this.deadlocks += 1;
      this.#stopWaiting(tx, Object.assign(new Error('deadlock detected'), { code: '40P01' }));
    });
  }

  release(tx: Transaction): void {
    this.#stopWaiting(tx, new Error('The transaction is over.'));
    for (const name of tx.locks) {
      const lock = this.#locks.get(name);
      lock?.holders.delete(tx);
      this.#serve(name);
    }
    tx.locks.clear();
  }

  #grant(tx: Transaction, name: string, mode: LockMode): void {
    const lock = this.#locks.get(name) ?? { holders: new Map(), queue: [] };
    this.#locks.set(name, lock);
    const mine = lock.holders.get(tx);
    if (!mine || isStronger(mode, mine)) lock.holders.set(tx, mode);
    tx.locks.add(name);
  }

  #serve(name: string): void {
    const lock = this.#locks.get(name);
    if (!lock) return;
    for (let next = lock.queue[0]; next; next = lock.queue[0]) {
      const { tx, mode } = next;
      if ([...lock.holders].some(([holder, held]) => holder !== tx && conflict(held, mode))) return;
      lock.queue.shift();
      tx.waitsFor = undefined;
      this.#grant(tx, name, mode);
      next.resolve();
    }
    if (lock.holders.size === 0) this.#locks.delete(name);
  }

  #stopWaiting(tx: Transaction, error: Error): void {
    const name = tx.waitsFor;
    const lock = name === undefined ? undefined : this.#locks.get(name);
    if (!lock || name === undefined) return;
    tx.waitsFor = undefined;
    const waiter = lock.queue.find(one => one.tx === tx);
    lock.queue = lock.queue.filter(one => one !== waiter);
    waiter?.reject(error);
    this.#serve(name);
  }

  #isCircle(from: Transaction): boolean {
    const seen = new Set<Transaction>();
    const look = (tx: Transaction): boolean => {
      const lock = tx.waitsFor === undefined ? undefined : this.#locks.get(tx.waitsFor);
      return [...(lock?.holders.keys() ?? [])].some(holder => {
        if (holder === tx) return false;
        if (holder === from) return true;
        if (seen.has(holder)) return false;
        seen.add(holder);
        return look(holder);
      });
    };
    return look(from);
  }
}

export class Transaction {
  /** What `now()` says until the end. */
  readonly now: Date;
  readonly by: string;
  readonly locks = new Set<string>();
  readonly #store: Store;
  readonly #writes = new Map<string, Write>();
  readonly #after: (() => void)[] = [];
  waitsFor: string | undefined;
  over = false;

  constructor(store: Store, by: string, now: Date) {
    this.#store = store;
    this.by = by;
    this.now = now;
  }

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    const written = this.#writes.get(nameOf(table, key));
    return written ? (written.after as Row | undefined) : table.committed.get(key);
  }

  /** Rows that are there at this moment, by key. */
  all<Row extends object>(table: Table<Row>): Map<string, Row> {
    const rows = new Map(table.committed);
    for (const write of this.#writes.values()) {
      if ((write.table as object) !== table) continue;
      if (write.after) rows.set(write.key, write.after as Row);
      else rows.delete(write.key);
    }
    return rows;
  }

  lock<Row extends object>(table: Table<Row>, key: string, mode: LockMode = 'update'): Promise<void> {
    this.#assertOpen();
    return this.#store.lock(this, nameOf(table, key), mode);
  }

  /** False when somebody else has it. */
  tryLock<Row extends object>(table: Table<Row>, key: string, mode: LockMode = 'update'): boolean {
    this.#assertOpen();
    return this.#store.tryLock(this, nameOf(table, key), mode);
  }

  /** Locks and writes; undefined deletes. */
  async put<Row extends object>(table: Table<Row>, key: string, row: Row | undefined): Promise<void> {
    await this.lock(table, key);
    this.write(table, key, row);
  }

  /** Writes what is locked already. */
  write<Row extends object>(table: Table<Row>, key: string, row: Row | undefined): void {
    this.#assertOpen();
    const before = table.committed.get(key);
    this.#writes.set(nameOf(table, key), {
      table: table as unknown as Table<object>,
      key,
      before,
      after: row,
    });
  }

  afterCommit(callback: () => void): void {
    this.#after.push(callback);
  }

  commit(): void {
    this.#assertOpen();
    this.over = true;
    const writes = [...this.#writes.values()].filter(({ before, after }) => before !== after);
    for (const { table, key, after } of writes) {
      if (after) table.committed.set(key, after);
      else table.committed.delete(key);
    }
    this.#store.onCommit(this, writes);
    this.#store.release(this);
    for (const callback of this.#after) callback();
  }

  abort(): void {
    if (this.over) return;
    this.over = true;
    this.#store.release(this);
  }

  #assertOpen(): void {
    if (this.over) throw new Error('The transaction is over.');
  }
}

function nameOf(table: { name: string }, key: string): string {
  return `${table.name} ${key}`;
}

const STRENGTH: Record<LockMode, number> = { 'key share': 0, 'no key update': 1, update: 2 };

function isStronger(a: LockMode, b: LockMode): boolean {
  return STRENGTH[a] > STRENGTH[b];
}

function conflict(held: LockMode, wanted: LockMode): boolean {
  return STRENGTH[held] + STRENGTH[wanted] > 1;
}
