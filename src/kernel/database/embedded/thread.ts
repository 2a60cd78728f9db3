import { Worker } from 'node:worker_threads';
import { Wire } from './wire.ts';

/** What the thread is to open: a folder, or memory, filled from an earlier dump if one is given. */
export type Order = { folder: string } | { memory: true; template?: Uint8Array<ArrayBuffer> | undefined };

export type ToThread = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'dump' } | { kind: 'close' };

export type FromThread =
  | { kind: 'ready' }
  | { kind: 'refused'; reason: string }
  | { kind: 'bytes'; bytes: Uint8Array; syncs: number }
  | { kind: 'dumped'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'closed' };

type Expected = {
  kind: FromThread['kind'];
  resolve: (message: FromThread) => void;
  reject: (error: Error) => void;
};

/** The thread of one open database. */
export class DatabaseThread {
  readonly wire: Wire;
  /** How often the database has flushed a file to disk since it was opened. */
  syncs = 0;
  readonly #worker: Worker;
  #expected: Expected[] = [];
  #ended = false;

  /**
   * Resolves once PostgreSQL answers; rejects with its own words when it does not start.
   * `onFault` is told when the thread dies later on.
   */
  static async start(order: Order, onFault: (error: Error) => void): Promise<DatabaseThread> {
    const thread = new DatabaseThread(order);
    const first = await Promise.race([thread.#expect('ready'), thread.#expect('refused')]);
    if (first.kind === 'refused') {
      await thread.stop();
      throw new Error(first.reason);
    }
    thread.#expected = [];
    thread.wire.once('error', onFault);
    return thread;
  }

  private constructor(order: Order) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: order,
      name: 'database',
    });
    this.wire = new Wire(bytes => this.#say({ kind: 'bytes', bytes }));
    this.#worker.on('message', (message: FromThread) => this.#hear(message));
    this.#worker.on('error', error => this.#end(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', code => this.#end(new Error(`The database thread ended with code ${code}.`)));
  }

  /** A tar of the whole data folder. Call it between two transactions. */
  async dump(): Promise<Uint8Array<ArrayBuffer>> {
    this.#say({ kind: 'dump' });
    const message = await this.#expect('dumped');
    return message.kind === 'dumped' ? message.bytes : new Uint8Array();
  }

  /** Shuts PostgreSQL down in order, then ends the thread. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const closed = this.#expect('closed');
    this.#say({ kind: 'close' });
    await closed;
    await this.stop();
  }

  /** Ends the thread at once; what was committed stays committed. */
  async stop(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #expect(kind: FromThread['kind']): Promise<FromThread> {
    return new Promise((resolve, reject) => {
      this.#expected.push({ kind, resolve, reject });
    });
  }

  #hear(message: FromThread): void {
    if (message.kind === 'bytes') {
      this.syncs = message.syncs;
      this.wire.feed(message.bytes);
      return;
    }
    const index = this.#expected.findIndex(({ kind }) => kind === message.kind);
    if (index >= 0) this.#expected.splice(index, 1)[0]?.resolve(message);
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { reject } of this.#expected) reject(error);
    this.wire.destroy(error);
  }
}
