import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartError } from '../../errors.ts';
import { lockFolder, refuseHeldFolder } from './folder-lock.ts';
import { ourselves } from './holder.ts';

let folder: string;
let warnings: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoke-lock-'));
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const take = (silenceMs?: number) =>
  lockFolder(folder, {
    warn: text => warnings.push(text),
    onLost: () => undefined,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });

const path = () => join(folder, 'lock');
const leave = (holder: object) => writeFileSync(path(), JSON.stringify(holder));

describe('the lock of a folder', () => {
  it('is held by one at a time and names the holder', async () => {
    const lock = await take();
    const refused = take();
    await expect(refused).rejects.toThrow(StartError);
    await expect(take()).rejects.toThrow(`in use by process ${process.pid} (node `);
    await lock.release();
    await (await take()).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('can be asked for beforehand', async () => {
    await refuseHeldFolder(folder);
    const lock = await take();
    await expect(refuseHeldFolder(folder)).rejects.toThrow(`in use by process ${process.pid} (node `);
    await lock.release();
    await refuseHeldFolder(folder);
  });

  it('is taken over from a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await new Promise(resolve => child.once('exit', resolve));
    leave({ ...(await ourselves()), pid: child.pid });
    const lock = await take();
    expect(warnings).toEqual([expect.stringContaining(`from process ${child.pid}`)]);
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is taken over when its pid has gone to another process', async () => {
    leave({ ...(await ourselves()), started: 'earlier' });
    await (await take()).release();
    expect(warnings).toHaveLength(1);
  });

  it('is taken over by exactly one of several that try at once', async () => {
    for (let round = 0; round < 20; round++) {
      leave({ ...(await ourselves()), started: 'earlier' });
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => take()));
      const taken = outcomes.filter(outcome => outcome.status === 'fulfilled');
      expect(taken).toHaveLength(1);
      for (const { value } of taken) await value.release();
    }
  });

  it('is taken over although one that tried before crashed on the way', async () => {
    leave({ ...(await ourselves()), started: 'earlier' });
    const taking = `${path()}.taking`;
    writeFileSync(taking, '1');
    utimesSync(taking, new Date(0), new Date(0));
    await (await take()).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is respected while a holder in another container beats', async () => {
    leave({ ...(await ourselves()), space: 'elsewhere pid:[1]' });
    const heart = setInterval(() => utimesSync(path(), new Date(), new Date()), 50);
    await expect(take(5_000)).rejects.toThrow('on elsewhere');
    clearInterval(heart);
  });

  it('is taken over from a holder in another container that has fallen silent', async () => {
    leave({ ...(await ourselves()), space: 'elsewhere pid:[1]' });
    await (await take(300)).release();
    expect(warnings).toHaveLength(1);
  });

  it('that says nothing readable counts as out of sight', async () => {
    writeFileSync(path(), '');
    await (await take(300)).release();
    expect(warnings).toEqual([expect.stringContaining('a process that left no name')]);
  });

  it('is left alone on release when somebody else has it by then', async () => {
    const lock = await take();
    leave({ pid: 1 });
    await lock.release();
    expect(readFileSync(path(), 'utf8')).toBe('{"pid":1}');
  });
});
