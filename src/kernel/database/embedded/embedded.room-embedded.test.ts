import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepPostgresCompiled } from '../../../../test/harness/compiled.ts';
import { until } from '../../../../test/harness/until.ts';
import { StartError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import { openEmbedded, proveFlushing } from './embedded.ts';
import { OnlyConnection } from './only-connection.ts';
import { PostgresWorker } from './postgres-worker.ts';
import { checkpoint, Scale, vacuum } from './upkeep.ts';

const WRITER = fileURLToPath(new URL('../../../../test/harness/embedded-writer.ts', import.meta.url));

let root: string;
let made: string;
let warnings: string[];
let count = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'convoke-embedded-'));
  made = join(root, 'made');
  await keepPostgresCompiled();
  await (await open(made)).close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  warnings = [];
});

function open(folder: string, onFault: (error: Error) => void = () => undefined) {
  return openEmbedded({ folder, warn: text => warnings.push(text), onFault });
}

/** A folder with an empty database, copied from the one made at first. */
function aFolder(): string {
  count += 1;
  const folder = join(root, String(count));
  cpSync(made, folder, { recursive: true });
  return folder;
}

async function rows<Row>(engine: Engine, text: string): Promise<Row[]> {
  const connection = await engine.acquire();
  try {
    return (await connection.query(text, [])).rows as Row[];
  } finally {
    connection.release();
  }
}

/** Resolves once the writer has acknowledged `least` more rows. */
async function startWriter(folder: string, least: number) {
  const child = spawn(process.execPath, [WRITER, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complaints = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  /** Whole lines only: the kill may have cut the last one. */
  const acknowledged = () =>
    said
      .slice(0, said.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map(Number);
  await until(() => acknowledged().length >= least || child.exitCode !== null, {
    within: 60_000,
    what: () => complaints,
  });
  return { child, acknowledged, complaints: () => complaints };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

describe('the folder of an embedded database', () => {
  it('keeps what was written', async () => {
    const folder = aFolder();
    const first = await open(folder);
    await rows(first, `create table kept as select 'text' as value`);
    await first.close();
    const second = await open(folder);
    expect(await rows(second, 'select value from kept')).toEqual([{ value: 'text' }]);
    await second.close();
    expect(warnings).toEqual([]);
  });

  it('is refused to a second process, in words that name the first', async () => {
    const folder = aFolder();
    const writer = await startWriter(folder, 1);
    await expect(open(folder)).rejects.toThrow(StartError);
    await expect(open(folder)).rejects.toThrow(
      `in use by process ${writer.child.pid} (node embedded-writer.ts`,
    );
    await kill(writer.child);
    const engine = await open(folder);
    expect(warnings).toEqual([expect.stringContaining(`from process ${writer.child.pid}`)]);
    await engine.close();
  });

  it('loses nothing that was acknowledged when the process is killed, again and again', async () => {
    const folder = aFolder();
    let acknowledged: number[] = [];
    for (let round = 0; round < 3; round++) {
      const writer = await startWriter(folder, 60);
      await kill(writer.child);
      acknowledged = [...acknowledged, ...writer.acknowledged()];
    }
    const engine = await open(folder);
    const found = await rows<{ number: number }>(engine, 'select number from numbers order by number');
    await engine.close();
    const numbers = new Set(found.map(({ number }) => number));
    expect(acknowledged.length).toBeGreaterThanOrEqual(180);
    expect(acknowledged.filter(number => !numbers.has(number))).toEqual([]);
  });

  it('that is broken is left as it is, with what to do', async () => {
    const folder = aFolder();
    const control = join(folder, 'postgres/global/pg_control');
    writeFileSync(control, 'nonsense');
    await expect(open(folder)).rejects.toThrow(StartError);
    await expect(open(folder)).rejects.toThrow(
      /does not open[\s\S]*has not removed anything[\s\S]*restore the last backup/,
    );
    expect(readFileSync(control, 'utf8')).toBe('nonsense');
  });

  it('that is not a whole database is not written over', async () => {
    const folder = aFolder();
    rmSync(join(folder, 'postgres/PG_VERSION'));
    await expect(open(folder)).rejects.toThrow('PG_VERSION is missing');
  });

  it('of another version of PostgreSQL is refused', async () => {
    const folder = aFolder();
    writeFileSync(join(folder, 'postgres/PG_VERSION'), '17\n');
    await expect(open(folder)).rejects.toThrow(/written by PostgreSQL 17.*reads 18/);
  });

  it('that was half made is made again', async () => {
    const folder = join(root, 'half');
    cpSync(join(made, 'postgres/base'), join(folder, 'postgres.new/base'), { recursive: true });
    const engine = await open(folder);
    expect(await rows(engine, 'select 1 as one')).toEqual([{ one: 1 }]);
    await engine.close();
  });

  it('stops the database when the lock is taken away', async () => {
    const folder = aFolder();
    let fault: Error | undefined;
    const engine = await open(folder, error => {
      fault = error;
    });
    const running = rows(engine, 'select count(*) from generate_series(1, 1000000000)');
    const waiting = engine.acquire();
    writeFileSync(join(folder, 'lock'), '{}');
    await expect(running).rejects.toThrow();
    await expect(waiting).rejects.toThrow('was taken away');
    await expect(engine.acquire()).rejects.toThrow('was taken away');
    await until(() => fault);
    expect(fault?.message).toContain('was taken away from this process');
    await engine.close();
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe('{}');
  });
});

describe('flushing', () => {
  it('happens once for each commit', async () => {
    const worker = await PostgresWorker.start({ folder: join(aFolder(), 'postgres') }, () => undefined);
    const only = await OnlyConnection.open(worker.wire);
    await proveFlushing(worker, only);
    const connection = await only.acquire();
    await connection.script('create table flushed (number int)');
    const before = worker.syncs;
    for (let number = 0; number < 10; number++) {
      await connection.script('begin');
      await connection.query('insert into flushed values ($1)', [number]);
      await connection.query('insert into flushed values ($1)', [number]);
      await connection.script('commit');
    }
    expect(worker.syncs - before).toBe(10);
    connection.release();
    await only.end();
    await worker.close();
  });

  it('that does not happen is noticed at the start', async () => {
    const worker = await PostgresWorker.start({ memory: true }, () => undefined);
    const only = await OnlyConnection.open(worker.wire);
    await expect(proveFlushing(worker, only)).rejects.toThrow('does not flush its commits');
    await only.end();
    await worker.close();
  });
});

describe('upkeep', () => {
  it('checkpoints what has gathered, clears dead rows, and then has nothing to do', async () => {
    const engine = await open(aFolder());
    await rows(
      engine,
      `create table busy as select i as number, repeat('x', 500) as text from generate_series(1, 40000) i`,
    );
    for (let round = 0; round < 3; round++)
      await rows(engine, `update busy set text = text || 'y' where number <= 30000`);
    expect(await checkpoint(engine)).toBe(true);
    expect(await checkpoint(engine)).toBe(false);
    expect(await vacuum(engine)).toContain('public.busy');
    expect(await vacuum(engine)).not.toContain('public.busy');
    const [log] = await rows<{ bytes: number }>(
      engine,
      'select sum(size)::int8 as bytes from pg_ls_waldir()',
    );
    await engine.close();
    expect(log?.bytes).toBeLessThan(160 * 1024 ** 2);
  });

  it('warns once when the folder has grown, and again when it has doubled', async () => {
    const folder = join(root, 'scale');
    cpSync(join(made, 'postgres/base/1'), folder, { recursive: true });
    let now = 0;
    const scale = new Scale(folder, text => warnings.push(text), { firstAlarm: 1024 ** 2, now: () => now });
    const weigh = async () => {
      now += 600_000;
      await scale.weigh();
    };
    await weigh();
    await weigh();
    expect(warnings).toEqual([expect.stringContaining(`in ${folder} has grown to`)]);
    writeFileSync(join(folder, 'more'), Buffer.alloc(64 * 1024 ** 2));
    await weigh();
    expect(warnings).toHaveLength(2);
  });
});
