import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAsOperator } from '../test/harness/operator.ts';
import { startConvoke } from './main.ts';

let folder: string;
let env: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoke-main-'));
  env = { CONVOKE_PORT: '0', CONVOKE_LOG_LEVEL: 'silent', CONVOKE_DATA_DIR: join(folder, 'data') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inData = (path: string) => join(env.CONVOKE_DATA_DIR ?? '', path);

describe('the data folder', () => {
  it('belongs to one process and to its user alone', async () => {
    const convoke = await startConvoke(env);
    await expect(startConvoke(env)).rejects.toThrow(`in use by process ${process.pid}`);
    expect(readdirSync(inData('.')).sort()).toEqual(['admin.sock', 'lock', 'master.key', 'postgres']);
    expect(statSync(inData('.')).mode & 0o777).toBe(0o700);
    for (const name of ['admin.sock', 'lock', 'master.key'])
      expect(statSync(inData(name)).mode & 0o777).toBe(0o600);
    await convoke.stop();
    expect(readdirSync(inData('.')).sort()).toEqual(['master.key', 'postgres']);
  });

  it('of a database that was written with another key is refused', async () => {
    const key = `other:${Buffer.alloc(32, 2).toString('base64')}`;
    await expect(startConvoke({ ...env, CONVOKE_MASTER_KEY: key })).rejects.toThrow(
      'master key does not fit',
    );
  });

  it('that is broken stays as it is', async () => {
    const control = inData('postgres/global/pg_control');
    truncateSync(control, 100);
    await expect(startConvoke(env)).rejects.toThrow(inData(''));
    expect(statSync(control).size).toBe(100);
    expect(existsSync(inData('lock'))).toBe(false);
  });

  it('must be a folder', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    await expect(startConvoke({ ...env, CONVOKE_DATA_DIR: file })).rejects.toThrow(file);
  });

  it('that has no database yet is not made by a command', async () => {
    const none = join(folder, 'none');
    const { code, err } = await runAsOperator('cli.ts', ['doctor'], { ...env, CONVOKE_DATA_DIR: none });
    expect(code).toBe(1);
    expect(err).toContain(none);
    expect(existsSync(none)).toBe(false);
  });
});
