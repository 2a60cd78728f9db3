import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { promisify } from 'node:util';

/** Who holds the lock of a folder. */
type Holder = {
  pid: number;
  /** When the process was started, in the words of the system: a pid alone comes back. */
  started: string;
  /** The space in which `pid` means something: machine and, on Linux, pid namespace. */
  space: string;
  command: string;
  since: string;
};

/** 'out of sight' = on another machine or in another container, so its pid tells us nothing. */
type Verdict = 'alive' | 'dead' | 'out of sight';

/** `nonce` keeps two locks of one process apart. */
export async function ourselves(): Promise<Holder & { nonce: number }> {
  return {
    pid: process.pid,
    started: (await startOf(process.pid)) ?? '',
    space: await space(),
    command: ['node', ...process.argv.slice(1).map(part => basename(part))].join(' ').slice(0, 200),
    since: new Date().toISOString(),
    nonce: Math.random(),
  };
}

export function readHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    if (typeof holder.pid !== 'number' || typeof holder.started !== 'string') return undefined;
    return {
      pid: holder.pid,
      started: holder.started,
      space: String(holder.space),
      command: String(holder.command),
      since: String(holder.since),
    };
  } catch {
    return undefined;
  }
}

export async function verdictOn(holder: Holder): Promise<Verdict> {
  if (holder.space !== (await space())) return 'out of sight';
  return (await startOf(holder.pid)) === holder.started ? 'alive' : 'dead';
}

export function describe(holder: Holder | undefined): string {
  if (!holder) return 'a process that left no name';
  return `process ${holder.pid} (${holder.command}, since ${holder.since}, on ${holder.space.split(' ')[0]})`;
}

/** Undefined for a process that is not there; a zombie is not there either. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    // The second field is the name in brackets and may hold anything; the state follows it.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (!fields || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${fields[19]} ${await bootOf()}`;
  }
  if (!isRunning(pid)) return undefined;
  const listed = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => undefined);
  return listed?.stdout.trim() ?? '';
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Start times on Linux count from the boot, so the boot belongs to them. */
async function bootOf(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

async function space(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${namespace}`.trim();
}
