import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { DurableFiles } from './durable-files.ts';
import type { FromWorker, Order, ToWorker } from './postgres-worker.ts';

/**
 * The thread that PostgreSQL runs in. It understands nothing: bytes of the PostgreSQL protocol come in,
 * bytes go out, one answer for each request and in the same order.
 */
const START = [
  '--single',
  '-O',
  '-j',
  ...settings({
    search_path: 'public',
    exit_on_error: 'false',
    log_checkpoints: 'false',
    max_worker_processes: '0',
    max_parallel_workers: '0',
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    io_method: 'sync',
    wal_sync_method: 'fsync',
    // Nothing checkpoints in the background here, so what the upkeep leaves behind must stay small.
    min_wal_size: '32MB',
    max_wal_size: '128MB',
  }),
];

const ERROR_LINES = 20;
/** What PostgreSQL's own process would say as it dies; here nothing dies by itself, and nothing would be answered. */
const ABORTED = 'Aborted(';
const PANIC = /PANIC: {2}(.*)/;

async function serve(port: MessagePort, order: Order): Promise<void> {
  const said: string[] = [];
  let isOver = false;
  const files = 'folder' in order ? new DurableFiles(order.folder) : undefined;
  const say = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  let pglite: PGlite;
  try {
    pglite = await PGlite.create({
      ...(files ? { fs: files } : {}),
      ...('memory' in order && order.template ? { loadDataDir: new Blob([order.template]) } : {}),
      // -F leaves fsync out, which is right only where nothing is kept.
      startParams: files ? START : [...START, '-F'],
      onStderr: text => {
        said.push(text);
        if (text.startsWith(ABORTED)) isOver = true;
        if (said.length > ERROR_LINES) said.shift();
        return false;
      },
    });
  } catch (error) {
    say({
      kind: 'refused',
      reason: [...said, error instanceof Error ? error.message : String(error)].join('\n'),
    });
    return;
  }
  const answer = async (message: ToWorker) => {
    if (message.kind === 'bytes') {
      const bytes = await exchange(pglite, message.bytes);
      say({ kind: 'bytes', bytes, syncs: files?.syncs ?? 0 }, [bytes.buffer]);
      if (isOver) throw new Error(`PostgreSQL has given up: ${lastPanic(said)}`);
    } else if (message.kind === 'dump') {
      const tar = await pglite.dumpDataDir('none');
      const bytes = new Uint8Array(await tar.arrayBuffer());
      say({ kind: 'dumped', bytes }, [bytes.buffer]);
    } else {
      await pglite.close();
      say({ kind: 'closed' });
      port.close();
    }
  };
  // A rejection here is PostgreSQL itself breaking; unhandled, it ends the thread, which is heard outside.
  port.on('message', (message: ToWorker) => void answer(message));
  say({ kind: 'ready' });
}

function lastPanic(said: string[]): string {
  return said.findLast(text => PANIC.test(text))?.match(PANIC)?.[1] ?? 'it has not said why';
}

async function exchange(pglite: PGlite, request: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Buffer[] = [];
  await pglite.execProtocolRawStream(request, {
    syncToFs: false,
    // The bytes are a view of PostgreSQL's own memory, gone with the next call.
    onRawData: bytes => parts.push(Buffer.from(bytes)),
  });
  return new Uint8Array(Buffer.concat(parts));
}

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

if (parentPort) await serve(parentPort, workerData as Order);
