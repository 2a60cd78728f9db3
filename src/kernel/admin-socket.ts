import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import type { Commands } from './commands.ts';
import { AppError } from './errors.ts';

export type AdminSocket = { close(): Promise<void> };

/** The answer to a command: what to print, or what went wrong. */
export type CommandAnswer = { ok: true; said: string } | { ok: false; error: string };

/** The shortest limit among the systems that have unix sockets, less its closing zero. */
const LONGEST_PATH = 103;
const LINE_LIMIT = 65_536;
const ANSWER_WITHIN_MS = 30_000;

/**
 * Listens for commands on `<data dir>/admin.sock`, for the user who runs the program and nobody else.
 * Where that path is too long for a socket, it stands in a private folder that `<data dir>/admin.path` names.
 * The caller holds the lock of the data folder, so a socket that is there already is a dead one's.
 */
export async function listenForCommands(
  dataDir: string,
  commands: Commands,
  log: Logger,
): Promise<AdminSocket> {
  const pointer = join(dataDir, 'admin.path');
  const short = join(dataDir, 'admin.sock');
  const roomy = Buffer.byteLength(short) <= LONGEST_PATH;
  const path = roomy ? short : join(await mkdtemp(join(tmpdir(), 'convoke-')), 'admin.sock');
  await rm(pointer, { force: true });
  await rm(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer(socket => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    serve(socket, commands, log);
  });
  await listening(server, path);
  await chmod(path, 0o600);
  if (!roomy) await writeFile(pointer, `${path}\n`, { mode: 0o600 });
  return {
    close: async () => {
      const closed = new Promise(resolve => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
      if (roomy) return;
      await rm(pointer, { force: true });
      await rm(dirname(path), { recursive: true, force: true });
    },
  };
}

/**
 * Has the running program do a command. Undefined when none runs on this data folder.
 * What goes wrong there comes back as `error`, a sentence for the operator; so does an answer that takes too long.
 */
export async function askRunning(
  dataDir: string,
  name: string,
  input: unknown,
  withinMs = ANSWER_WITHIN_MS,
): Promise<CommandAnswer | undefined> {
  const pointed = await readFile(join(dataDir, 'admin.path'), 'utf8').catch(() => undefined);
  const socket = await reach(pointed?.trim() || join(dataDir, 'admin.sock'));
  if (!socket) return undefined;
  const timer = setTimeout(() => socket.destroy(), withinMs);
  try {
    socket.write(`${JSON.stringify({ command: name, input })}\n`);
    for await (const line of createInterface({ input: socket })) return JSON.parse(line) as CommandAnswer;
    return { ok: false, error: 'The running Convoke ended before it answered. Try again.' };
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function serve(socket: Socket, commands: Commands, log: Logger): void {
  socket.on('error', () => undefined);
  let text = '';
  let turn = Promise.resolve();
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    if (text.length > LINE_LIMIT) socket.destroy();
    for (const line of lines) {
      turn = turn.then(async () => {
        const answer = await answered(line, commands, log);
        if (!socket.destroyed) socket.write(`${JSON.stringify(answer)}\n`);
      });
    }
  });
}

async function answered(line: string, commands: Commands, log: Logger): Promise<CommandAnswer> {
  let name = 'unreadable';
  try {
    const order = JSON.parse(line) as { command?: unknown; input?: unknown };
    name = String(order.command);
    const said = await commands.run(name, order.input);
    log.info({ event: 'kernel.command', command: name, outcome: 'ok' });
    return { ok: true, said };
  } catch (error) {
    if (error instanceof AppError) {
      log.info({ event: 'kernel.command', command: name, outcome: 'refused', reason: error.detail });
      return { ok: false, error: error.detail };
    }
    log.error({ event: 'kernel.command', command: name, outcome: 'failed', err: error });
    return { ok: false, error: 'The command failed. The log of the server says more.' };
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Nobody there, or the leftover of one that was killed: both mean that no program runs. */
function reach(path: string): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('error', () => resolve(undefined));
    socket.once('connect', () => {
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}
