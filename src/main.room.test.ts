import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepPostgresCompiled } from '../test/harness/compiled.ts';
import { blankDatabase, testEngine } from '../test/harness/database.ts';
import { runAsOperator } from '../test/harness/operator.ts';
import { until } from '../test/harness/until.ts';
import { INSTANCE, recordForInstance } from './kernel/index.ts';
import { type Convoke, startConvoke } from './main.ts';

const PASSWORD = 'correct horse battery';
const KEY = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
const OTHER_KEY = `k1:${Buffer.alloc(32, 2).toString('base64')}`;

let folder: string;
let env: Record<string, string>;
let closeDatabase: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'convoke-main-'));
  env = { CONVOKE_PORT: '0', CONVOKE_LOG_LEVEL: 'silent', CONVOKE_DATA_DIR: folder, CONVOKE_MASTER_KEY: KEY };
  if (testEngine() === 'embedded') return keepPostgresCompiled();
  const blank = await blankDatabase();
  closeDatabase = blank.close;
  env.DATABASE_URL = blank.url ?? '';
});
afterAll(async () => {
  await closeDatabase();
  rmSync(folder, { recursive: true, force: true });
});

async function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const signIn = (convoke: Convoke, password: string) =>
  post(`${convoke.url}/v1/login`, { username: 'admin', password });

describe('the whole program', () => {
  let convoke: Convoke;
  afterAll(() => convoke?.stop());

  it('starts from nothing, prints a setup link, and serves who follows it', async () => {
    convoke = await startConvoke(env);
    expect((await fetch(`${convoke.url}/health`)).status).toBe(200);
    const token = convoke.setupLink?.split('/setup/')[1];
    expect((await post(`${convoke.url}/v1/setup`, { token, password: PASSWORD })).status).toBe(200);
    expect((await signIn(convoke, PASSWORD)).status).toBe(200);
  });

  it('tells how it fares to who knows the token, and has no such page without one', async () => {
    const page = (authorization: string) => fetch(`${convoke.url}/metrics`, { headers: { authorization } });
    // What is there instead, a page of the web app or none, depends on whether that is built.
    expect(await (await page('Bearer none')).text()).not.toContain('convoke_connections');
    await convoke.stop();
    convoke = await startConvoke({ ...env, CONVOKE_METRICS_TOKEN: 'a-token-of-our-own' });
    expect((await page('Bearer none')).status).toBe(401);
    const text = await (await page('Bearer a-token-of-our-own')).text();
    expect(text).toContain('# TYPE convoke_connections gauge');
    expect(text).toContain('# TYPE convoke_channel_outbound_lag_seconds gauge');
  });

  it('does what the operator says while it runs', async () => {
    const doctor = await runAsOperator('cli.ts', ['doctor'], env);
    expect(doctor).toMatchObject({ code: 0, err: '', out: expect.stringContaining('PostgreSQL') });
    const done = await runAsOperator('cli.ts', ['set-password', 'admin'], env, 'another good password\n');
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('admin has a new password') });
    expect((await signIn(convoke, PASSWORD)).status).toBe(401);
    expect((await signIn(convoke, 'another good password')).status).toBe(200);
    const refused = await runAsOperator('cli.ts', ['set-password', 'nobody'], env, `${PASSWORD}\n`);
    expect(refused).toMatchObject({ code: 1, out: '', err: 'There is no user "nobody".\n' });
    const users = await runAsOperator('cli.ts', ['list-users', '--search', 'adm'], env);
    expect(users).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^admin {2}\(admin, 1 workspace, seen /),
    });
    const last = await runAsOperator('cli.ts', ['demote', 'admin'], env);
    expect(last).toMatchObject({ code: 1, err: expect.stringContaining('Somebody must be able to run') });
    const mode = ['maintenance', 'on', '--note', 'Back at ten.'];
    expect(await runAsOperator('cli.ts', mode, env)).toMatchObject({ code: 0, err: '' });
    const body = { token: 'x', password: PASSWORD };
    await until(async () => (await post(`${convoke.url}/v1/setup`, body)).status === 503);
    const off = await runAsOperator('cli.ts', ['maintenance', 'off'], env);
    expect(off).toMatchObject({ code: 0, out: 'Maintenance is over.\n' });
    await until(async () => (await post(`${convoke.url}/v1/setup`, body)).status === 422);
    const silent = await runAsOperator('cli.ts', ['set-password', 'admin'], env, '');
    expect(silent).toMatchObject({ code: 1, err: expect.stringContaining('no password on standard input') });
  });

  it('verifies its activity for the operator while it runs, and finds an edit', async () => {
    const whole = await runAsOperator('cli.ts', ['activity', 'verify'], env);
    expect(whole).toMatchObject({ code: 0, err: '' });
    const head = /workspace main: .* in order\.\n {2}(--workspace main --since-head \S+)/.exec(
      whole.out,
    )?.[1];
    const again = ['activity', 'verify', ...(head ?? '').split(' ')];
    expect(await runAsOperator('cli.ts', again, env)).toMatchObject({ code: 0, err: '' });
    const { kernel } = convoke;
    await kernel.database.inEngine('test.tell', tx =>
      recordForInstance(
        tx,
        { actor: { kind: 'system' } },
        { type: 'test.told', subject: { type: 'instance', id: INSTANCE }, payload: {} },
      ),
    );
    // The embedded engine has one connection only, which the sealer needs too.
    const asSuperuser = async (statement: string) => {
      const connection = await kernel.database.engine.acquire();
      return connection.query(statement, [INSTANCE]).finally(() => connection.release());
    };
    const sealed = () => asSuperuser('select from activity_seals where workspace_id = $1');
    await until(async () => (await sealed()).rows.length > 0);
    await asSuperuser(`update activity set type = 'test.tolt' where workspace_id = $1`);
    const edited = await runAsOperator('cli.ts', ['activity', 'verify', '--installation'], env);
    expect(edited).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Seal 1 (test.tolt)') });
  });

  it('stops, leaving nothing behind, and starts again with what it knew', async () => {
    await convoke.stop();
    await expect(fetch(`${convoke.url}/health`)).rejects.toThrow();
    expect(existsSync(join(folder, 'admin.sock'))).toBe(false);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    const done = await runAsOperator(
      'cli.ts',
      ['create-user', 'bob', '--role', 'viewer'],
      env,
      `${PASSWORD}\n`,
    );
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('viewer of the workspace main') });
    convoke = await startConvoke(env);
    expect(convoke.setupLink).toBeUndefined();
    expect((await post(`${convoke.url}/v1/login`, { username: 'bob', password: PASSWORD })).status).toBe(200);
    await convoke.stop();
  });

  it('refuses another master key than the one the database was written with', async () => {
    await expect(startConvoke({ ...env, CONVOKE_MASTER_KEY: OTHER_KEY })).rejects.toThrow(
      'master key does not fit',
    );
    convoke = await startConvoke({ ...env, CONVOKE_MASTER_KEY: `${OTHER_KEY.replace('k1', 'k2')},${KEY}` });
    expect((await fetch(`${convoke.url}/health`)).status).toBe(200);
    await convoke.stop();
    convoke = await startConvoke({ ...env, CONVOKE_MASTER_KEY: OTHER_KEY.replace('k1', 'k2') });
    await convoke.stop();
  });
});

describe('a start that cannot be', () => {
  let taken: Server;
  let port: number;
  beforeAll(async () => {
    taken = createServer();
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    port = typeof address === 'object' && address ? address.port : 0;
  });
  afterAll(() => new Promise(resolve => taken.close(resolve)));

  it('on a busy port says so in plain words and leaves nothing running', async () => {
    const own = {
      ...env,
      CONVOKE_DATA_DIR: join(folder, 'busy'),
      CONVOKE_MASTER_KEY: OTHER_KEY.replace('k1', 'k2'),
    };
    const { code, out, err } = await runAsOperator('main.ts', [], { ...own, CONVOKE_PORT: String(port) });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(new RegExp(`^Port ${port} on 127.0.0.1 is in use .*CONVOKE_PORT[^\n]*\n$`));
    expect(existsSync(own.CONVOKE_DATA_DIR)).toBe(false);
  });

  it('with an unknown setting names the nearest one', async () => {
    const { code, out, err } = await runAsOperator('main.ts', [], { ...env, CONVOKE_PROT: '1' });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('Did you mean CONVOKE_PORT?');
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('without its database says what is wrong there, and no password', async () => {
    const url = `postgres://convoke:hunter2@127.0.0.1:${port === 1 ? 2 : 1}/convoke`;
    const start = startConvoke({ ...env, DATABASE_URL: url });
    await expect(start).rejects.toThrow('nothing answers there');
    await expect(start).rejects.toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') }),
    );
  });
});
