import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, until } from './client.fixture.ts';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;

type Answer = { status: number; body: Record<string, unknown> & { data?: unknown } };

describe('the control API', () => {
  let simulator: WhatsAppSimulator;
  let client: Client;

  beforeAll(async () => {
    simulator = await startWhatsAppSimulator();
    client = new Client(simulator);
  });
  afterAll(async () => simulator.close());

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer> {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await fetch(`${simulator.controlUrl}${path}`, {
      method,
      ...sent,
      ...(headers ? { headers } : {}),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  it('pairs by scan, shows the linked device and unlinks it', async () => {
    client.start();
    await until(() => client.qr !== undefined);
    expect(await call('POST', `/phones/${OWNER}/scan`, { qr: client.qr })).toMatchObject({
      body: { device: 1 },
    });
    await until(() => client.ending !== undefined);
    await client.connect();
    const phones = (await call('GET', '/phones')).body.data;
    const linked = [{ device: 1, platform: 'Chrome (Mac OS)', connected: true }];
    expect(phones).toMatchObject([{ number: OWNER, name: 'Olivia Owner', linked }, { number: BEN }, {}]);
  });

  it('sends, opens chats and lists what arrived since an instant', async () => {
    const started = Date.now();
    await client.required().sendMessage(`${DEMO.ben}@s.whatsapp.net`, { text: 'By number' });
    await client.required().sendMessage('900000000000002@lid', { text: 'By LID' });
    await until(() => simulator.ledger().length === 2);
    for (const since of [String(started), new Date(started).toISOString()]) {
      const { body } = await call('GET', `/ledger?since=${encodeURIComponent(since)}`);
      expect(body.data).toMatchObject([
        { text: 'By number', to: BEN, copies: 1 },
        { text: 'By LID', to: BEN, copies: 1 },
      ]);
    }
    expect((await call('GET', `/ledger?since=${Date.now() + 60_000}`)).body.data).toEqual([]);
    expect((await call('POST', `/phones/${BEN}/read`, { chat: OWNER })).body).toEqual({ read: 2 });
    const { body } = await call('POST', `/phones/${DEMO.ben}/send`, {
      to: DEMO.class3B,
      text: 'From the API',
    });
    await until(() => client.inbox().some(message => message.id === body.id));
  });

  it('changes groups and brings new phones', async () => {
    await call('POST', '/phones', { number: '+15550000009', name: 'Dora' });
    const made = await call('POST', '/groups', { subject: 'Trip', members: [OWNER, '+15550000009'] });
    const id = String(made.body.id);
    await call('PATCH', `/groups/${id}`, { subject: 'Trip to the lake' });
    await call('POST', `/groups/${id}/members`, { number: BEN });
    const left = await call('DELETE', `/groups/${id}/members/+15550000009`);
    expect(left.body).toMatchObject({
      subject: 'Trip to the lake',
      members: [{ number: OWNER }, { number: BEN }],
    });
    await until(() =>
      client
        .seen('groups.upsert')
        .flat()
        .some(group => group.id === id),
    );
  });

  it('says when sockets opened and closed', async () => {
    await call('POST', `/phones/${OWNER}/unlink`, {});
    await until(() => client.ending !== undefined);
    await until(() => simulator.connections().open.length === 0);
    const { data } = (await call('GET', '/connections')).body;
    expect(data).toMatchObject({
      open: [],
      closed: [{ account: OWNER, device: 1, reason: 'device removed' }],
    });
  });

  it.each([
    ['an unknown field', 'POST', '/faults', { drop: 1, nope: true }, 400, /nope/],
    ['a wrong type', 'POST', '/faults', { latency_ms: 'slow' }, 400, /latency_ms/],
    ['a number out of range', 'POST', '/faults', { drop: 2 }, 400, /drop/],
    ['a phone that does not exist', 'POST', '/faults', { number: '+15551111111', drop: 1 }, 404, /no phone/],
    ['no JSON', 'POST', '/faults', '{', 400, /not JSON/],
    ['a body over 1 MiB', 'POST', `/phones/${BEN}/send`, 'x'.repeat(1_100_000), 413, /larger/],
    ['a missing text', 'POST', `/phones/${BEN}/send`, { to: OWNER }, 400, /text/],
    [
      'an unknown recipient',
      'POST',
      `/phones/${BEN}/send`,
      { to: '+15551111111', text: 'x' },
      404,
      /no phone/,
    ],
    ['an instant that is none', 'GET', '/ledger?since=yesterday', undefined, 400, /since/],
    ['an unknown address', 'GET', '/nothing', undefined, 404, /nothing at this address/],
    ['a wrong method', 'DELETE', '/phones', undefined, 405, /DELETE/],
  ] as const)('refuses %s and says why', async (_name, method, path, body, status, words) => {
    const answer = await call(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toMatch(words);
  });

  it('is closed to pages of other sites', async () => {
    const answer = await call('POST', '/faults', { clear: true }, { origin: 'https://example.org' });
    expect(answer.status).toBe(403);
  });

  it('feeds the page live', async () => {
    const response = await fetch(`${simulator.controlUrl}/events`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    const read = async (words: string) => {
      while (!seen.includes(words)) seen += (await reader?.read())?.value ?? '';
    };
    await read('Class 3A');
    simulator.renameGroup(DEMO.class3A, 'Class 4A');
    await read('Class 4A');
    expect(seen).toContain('Class 4A');
    await reader?.cancel();
  });
});

describe('the simulator as a process', () => {
  it('prints one line when ready, pairs a client without a word of its keys, and ends on SIGTERM', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
      env: { ...process.env, CONVOKE_SIMULATOR_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    createInterface(child.stderr).on('line', line => said.push(line));
    const lines = createInterface(child.stdout).on('line', line => said.push(line));
    const [first] = (await once(lines, 'line')) as [string];
    const ready = JSON.parse(first) as { url: string; socket_url: string; root_key: string };
    expect(ready.root_key).toMatch(/^[0-9a-f]{64}$/);
    const remote = {
      socketUrl: ready.socket_url,
      rootKey: Buffer.from(ready.root_key, 'hex'),
      scan: async (number: string, qr: string) =>
        fetch(`${ready.url}/phones/${number}/scan`, { method: 'POST', body: JSON.stringify({ qr }) }),
    };
    const client = new Client(remote);
    const socket = await client.pair(OWNER);
    await socket.sendMessage(DEMO.class3A, { text: 'Across processes' });
    await until(() => client.inbox().length + client.acks.length > 0);
    await client.leave();
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
    expect(said).toEqual([first]);
  });
});
