import { Worker } from 'node:worker_threads';
import { Wire } from './wire.ts';

/** What the worker is to open: a folder, or memory, filled from an earlier dump if one is given. */
export type Order = { folder: string } | { memory: true; template?: Uint8Array<ArrayBuffer> | undefined };

export type ToWorker = { kind: 'bytes'; bytes: Uint8Array } | { kind: 'dump' } | { kind: 'close' };

export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'refused'; reason: string }
  | { kind: 'bytes'; bytes: Uint8Array; syncs: number }
  | { kind: 'dumped'; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'closed' };

type Expected = {
  kind: FromWorker['kind'];
  resolve: (message: FromWorker) => void;
  reject: (error: Error) => void;
};

/** The thread that one open database runs in. */
export class PostgresWorker {
  readonly wire: Wire;
  /** How often the database has flushed a file to disk since it was opened. */
  syncs = 0;
  readonly #worker: Worker;
  #expected: Expected[] = [];
  #ended = false;
  #onFault: (error: Error) => void = () => undefined;

  /**
   * Resolves once PostgreSQL answers; rejects with its own words when it does not start.
   * `onFault` is told when the thread dies later on.
   */
  static async start(order: Order, onFault: (error: Error) => void): Promise<PostgresWorker> {
    const worker = new PostgresWorker(order);
    const first = await Promise.race([worker.#expect('ready'), worker.#expect('refused')]);
    if (first.kind === 'refused') {
      await worker.stop();
      throw new Error(first.reason);
    }
    worker.#expected = [];
    worker.#onFault = onFault;
    return worker;
  }

  private constructor(order: Order) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: order,
      name: 'postgres',
    });
    this.wire = new Wire(bytes => this.#say({ kind: 'bytes', bytes }));
    this.wire.on('error', () => undefined);
    this.#worker.on('message', (message: FromWorker) => this.#hear(message));
    this.#worker.on('error', error => this.#end(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', code =>
      this.#end(new Error(`The thread of the database ended with code ${code}.`)),
    );
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
    this.wire.destroy(new Error('The database was stopped.'));
    await this.#worker.terminate();
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #expect(kind: FromWorker['kind']): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      this.#expected.push({ kind, resolve, reject });
    });
  }

  #hear(message: FromWorker): void {
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
    this.#onFault(error);
  }
}
