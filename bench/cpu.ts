import { readdirSync, readFileSync } from 'node:fs';
import type { Kernel } from '../src/kernel/index.ts';

/** Clock ticks of /proc are 1/100 s on Linux. */
const MICROSECONDS_PER_TICK = 10_000;

/** CPU time in µs: of this process, and of the database as far as it runs on this machine. */
export type Cpu = { node: number; database: number | undefined };

/** Reads CPU time so far; differences of two readings are what counts. */
export type Meter = () => Cpu;

export async function createMeter(kernel: Kernel): Promise<Meter> {
  const { pid, local } = await kernel.database.inEngine('bench.pid', async tx => {
    const row = await tx
      .selectNoFrom(eb => [
        eb.fn<number>('pg_backend_pid').as('pid'),
        eb.fn<string | null>('host', [eb.fn('inet_server_addr')]).as('address'),
      ])
      .executeTakeFirstOrThrow();
    return { pid: row.pid, local: row.address === null || row.address.startsWith('127.') };
  });
  const parent = local ? statOf(pid)?.parent : undefined;
  return () => {
    const { user, system } = process.cpuUsage();
    return { node: user + system, database: parent === undefined ? undefined : familyTime(parent) };
  };
}

export function between(before: Cpu, after: Cpu): Cpu {
  const database =
    before.database === undefined || after.database === undefined
      ? undefined
      : after.database - before.database;
  return { node: after.node - before.node, database };
}

/** Of a parent with those of its children that live and those that have ended. */
function familyTime(parent: number): number {
  const processes = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => ({ pid: Number(name), stat: statOf(Number(name)) }));
  let ticks = 0;
  for (const { pid, stat } of processes) {
    if (pid === parent) ticks += (stat?.own ?? 0) + (stat?.ended ?? 0);
    else if (stat?.parent === parent) ticks += stat.own;
  }
  return ticks * MICROSECONDS_PER_TICK;
}

function statOf(pid: number): { parent: number; own: number; ended: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const at = (index: number) => fields[index] ?? 0;
    return { parent: at(1), own: at(11) + at(12), ended: at(13) + at(14) };
  } catch {
    return undefined;
  }
}
