import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AdminSocket, askRunning, listenForCommands } from './admin-socket.ts';
import { createCommands } from './commands.ts';

let folder: string;
let socket: AdminSocket | undefined;
const lines: string[] = [];
const log = pino({}, { write: (line: string) => void lines.push(line) });

const commands = createCommands();
commands.register('greet', z.strictObject({ name: z.string().min(1) }), async ({ name }) => `Hello ${name}`);
commands.register('break', z.strictObject({}), async () => {
  throw new Error('inner secret');
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convoke-admin-'));
});
afterEach(async () => {
  await socket?.close();
  socket = undefined;
  rmSync(folder, { recursive: true, force: true });
});

describe('the admin socket', () => {
  it('lets the operator speak to the running program', async () => {
    socket = await listenForCommands(folder, commands, log);
    expect(statSync(join(folder, 'admin.sock')).mode & 0o777).toBe(0o600);
    expect(await askRunning(folder, 'greet', { name: 'Anna' })).toEqual({ ok: true, said: 'Hello Anna' });
  });

  it.each([
    ['greet', {}, 'name: This field is required.'],
    ['greet', { name: 'Anna', loud: true }, 'loud: There is no such field here.'],
    ['sing', {}, 'does not know the command "sing"'],
    ['break', {}, 'The command failed. The log of the server says more.'],
  ])('answers %s %j with a plain sentence', async (name, input, words) => {
    socket = await listenForCommands(folder, commands, log);
    const answer = await askRunning(folder, name, input);
    expect(answer).toEqual({ ok: false, error: expect.stringContaining(words) });
  });

  it('is silent where nobody runs, also beside the socket of one that was killed', async () => {
    expect(await askRunning(folder, 'greet', { name: 'Anna' })).toBeUndefined();
    expect(await askRunning(join(folder, 'nothing'), 'greet', { name: 'Anna' })).toBeUndefined();
    writeFileSync(join(folder, 'admin.sock'), '');
    expect(await askRunning(folder, 'greet', { name: 'Anna' })).toBeUndefined();
    socket = await listenForCommands(folder, commands, log);
    expect(await askRunning(folder, 'greet', { name: 'Anna' })).toMatchObject({ ok: true });
  });

  it('moves to a private folder where the path would be too long', async () => {
    const deep = join(folder, 'd'.repeat(100));
    mkdirSync(deep);
    socket = await listenForCommands(deep, commands, log);
    expect(existsSync(join(deep, 'admin.sock'))).toBe(false);
    const path = readFileSync(join(deep, 'admin.path'), 'utf8').trim();
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    expect(await askRunning(deep, 'greet', { name: 'Anna' })).toMatchObject({ ok: true });
    await socket.close();
    socket = undefined;
    expect(existsSync(path)).toBe(false);
    expect(existsSync(join(deep, 'admin.path'))).toBe(false);
  });

  it('answers in order, survives nonsense, and leaves nobody waiting when it closes', async () => {
    socket = await listenForCommands(folder, commands, log);
    const client = connect(join(folder, 'admin.sock'));
    let said = '';
    client.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    client.write('nonsense\n{"command":"greet","input":{"name":"A"}}\n{"command":"greet","inp');
    client.write('ut":{"name":"B"}}\n');
    await expect.poll(() => said.trimEnd().split('\n').length).toBe(3);
    const answers = said
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(answers.map(answer => answer.ok)).toEqual([false, true, true]);
    expect(answers[2].said).toBe('Hello B');
    const closed = new Promise(resolve => client.once('close', resolve));
    await socket.close();
    socket = undefined;
    await closed;
  });

  it('never writes what was typed into the log', async () => {
    lines.length = 0;
    socket = await listenForCommands(folder, commands, log);
    await askRunning(folder, 'greet', { name: 'hunter2' });
    await askRunning(folder, 'greet', { name: 7, hunter2: 'hunter2' });
    expect(lines).toHaveLength(2);
    expect(lines[0]).not.toContain('hunter2');
  });
});
