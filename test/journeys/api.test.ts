import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, signIn, simulatorClient } from '../harness/api.ts';
import { temporaryFolder } from '../harness/browser.ts';
import { type DemoProcess, spawnDemo, startDemo } from '../harness/demo-process.ts';
import { connected, type Group, localIn, pairChannel } from '../harness/pairing.ts';
import { until } from '../harness/until.ts';

const OWNER = '+15550000001';
const BEN = '+15550000002';
const CHLOE = '+15550000003';

let dataDir: string;
let running: DemoProcess;
let client: Client;
let simulator: ReturnType<typeof simulatorClient>;
let main: { channelId: string; groups: Group[] };

beforeAll(async () => {
  dataDir = temporaryFolder('api');
  await start();
  main = await pairChannel(client, simulator, { label: 'Main', number: OWNER });
});
afterAll(async () => {
  await running?.end('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  running = await startDemo(dataDir, { CONVOKE_PACING: '0' });
  client = await signIn(running.demo);
  simulator = simulatorClient(running.demo.simulator_url);
}

type Channel = { status: string; status_reason: string | null; groups_count: number };
type Pairing = { step: string; qr?: string; code?: string; reason?: string; detail?: string };
type Message = { id: string; delivery: { status: string; reason: string | null } };
type Reminder = { id: string; version: number; status: string; next: { at: string } | null };

const text = (body: string) => ({ type: 'text', text: { body } });
const channel = async (id: string) => (await client<Channel>('GET', `/v1/channels/${id}`)).body;
const pairing = async (id: string) => (await client<Pairing>('GET', `/v1/channels/${id}/pairing`)).body;
const message = async (id: string) => (await client<Message>('GET', `/v1/messages/${id}`)).body;
const reminder = async (id: string) => (await client<Reminder>('GET', `/v1/reminders/${id}`)).body;
const arrived = async (body: string) => (await simulator.ledger()).filter(entry => entry.text === body);
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const untilInstant = (at: number) =>
  new Promise<void>(resolve => setTimeout(resolve, Math.max(0, at - Date.now())));

async function newChannel(label: string): Promise<string> {
  return (await client<{ id: string }>('POST', '/v1/channels', { kind: 'linked', label })).body.id;
}

async function liveQr(id: string): Promise<string> {
  await client('POST', `/v1/channels/${id}/pairing`);
  return until(async () => (await pairing(id)).qr, { within: 30_000, what: () => 'a QR code' });
}

async function send(channelId: string, to: object, body: string, sendAt?: string): Promise<string> {
  const input = { channel_id: channelId, to, content: text(body), ...(sendAt ? { send_at: sendAt } : {}) };
  const answer = await client<Message>('POST', '/v1/messages', input);
  expect(answer.status).toBe(202);
  return answer.body.id;
}

async function plan(body: string, seconds: number): Promise<Reminder> {
  const answer = await client<Reminder>('POST', '/v1/reminders', {
    channel_id: main.channelId,
    content: text(body),
    schedule: { start_local: localIn(seconds), time_zone: 'UTC' },
    targets: [{ phone: BEN }, { phone: CHLOE }],
  });
  expect(answer.status).toBe(201);
  return answer.body;
}

describe('pairing', () => {
  it('that is cancelled and begun again over and over ends in one that works, by code', async () => {
    const id = await newChannel('By code');
    for (let i = 0; i < 3; i++) {
      expect((await client('POST', `/v1/channels/${id}/pairing`)).status).toBe(201);
      expect((await client('DELETE', `/v1/channels/${id}/pairing`)).status).toBe(204);
    }
    expect(await pairing(id)).toMatchObject({ step: 'cancelled' });
    await client('POST', `/v1/channels/${id}/pairing`, { method: 'code', phone: BEN });
    const code = await until(async () => (await pairing(id)).code, { within: 30_000 });
    await simulator.enterCode(BEN, code);
    await connected(client, id);
    expect((await client('DELETE', `/v1/channels/${id}`)).status).toBe(204);
  });

  it('names the field at fault', async () => {
    const at = `/v1/channels/${await newChannel('Wrong')}/pairing`;
    const fields = async (body: object) => {
      const answer = await client<{ errors: { path: string }[] }>('POST', at, body);
      return [answer.status, ...answer.body.errors.map(error => error.path)];
    };
    expect(await fields({ method: 'code' })).toEqual([422, 'phone']);
    expect(await fields({ method: 'letter' })).toEqual([422, 'method']);
  });

  it('refuses a number that another channel has, which keeps working', async () => {
    const id = await newChannel('Twice');
    await simulator.scan(OWNER, await liveQr(id));
    await until(async () => (await pairing(id)).step === 'failed', { within: 30_000 });
    expect(await pairing(id)).toMatchObject({
      reason: 'number_already_linked',
      detail: expect.stringContaining('"Main"'),
    });
    const messageId = await send(main.channelId, { phone: BEN }, 'Still here');
    await until(async () => (await message(messageId)).delivery.status === 'delivered');
    expect(await arrived('Still here')).toMatchObject([{ copies: 1 }]);
  });
});

describe('a channel whose phone unlinks it', () => {
  it('says so, stays quiet, and has its groups again once it is paired again', async () => {
    const { channelId, groups } = await pairChannel(client, simulator, { label: 'Ben', number: BEN });
    await simulator.call('POST', `/phones/${encodeURIComponent(BEN)}/unlink`, {});
    await until(async () => (await channel(channelId)).status === 'unpaired');
    expect(await channel(channelId)).toMatchObject({ status_reason: 'logged_out', groups_count: 0 });
    const toArchived = await client<{ errors: { path: string }[] }>('POST', '/v1/messages', {
      channel_id: channelId,
      to: { group_id: groups[0]?.id },
      content: text('To nobody'),
    });
    expect(toArchived).toMatchObject({ status: 422, body: { errors: [{ path: 'to.group_id' }] } });
    const { data } = await simulator.call<{ data: { open: { account: string }[] } }>('GET', '/connections');
    expect(data.open.map(connection => connection.account)).toEqual([OWNER]);
    await simulator.scan(BEN, await liveQr(channelId));
    await connected(client, channelId);
    const again = await client<{ data: Group[] }>('GET', `/v1/groups?channel_id=${channelId}`);
    expect(again.body.data.map(group => group.id).sort()).toEqual(groups.map(group => group.id).sort());
    expect((await client('DELETE', `/v1/channels/${channelId}`)).status).toBe(204);
  });
});

describe('a channel that is removed', () => {
  it('takes along what is planned on it', async () => {
    const id = await newChannel('Short life');
    const later = await send(id, { phone: CHLOE }, 'Never', inMs(3_600_000));
    const now = await send(id, { phone: CHLOE }, 'Not now');
    const plans = await Promise.all(
      [30, 3_600].map(async seconds => {
        const answer = await client<Reminder>('POST', '/v1/reminders', {
          channel_id: id,
          content: text('Never'),
          schedule: { start_local: localIn(seconds), time_zone: 'UTC', rrule: 'FREQ=DAILY' },
          targets: [{ phone: CHLOE }],
        });
        return answer.body.id;
      }),
    );
    expect((await client('DELETE', `/v1/channels/${id}`)).status).toBe(204);
    for (const messageId of [later, now]) {
      const { delivery } = await message(messageId);
      expect(delivery).toMatchObject({ status: 'cancelled', reason: 'channel_removed' });
    }
    for (const reminderId of plans) {
      expect(await reminder(reminderId)).toMatchObject({ status: 'ended', next: null });
      const revived = await client('PATCH', `/v1/reminders/${reminderId}`, {
        schedule: { start_local: localIn(7_200), time_zone: 'UTC' },
      });
      expect(revived).toMatchObject({ status: 422, body: { errors: [{ path: 'channel_id' }] } });
    }
  });
});

describe('a message and its cancellation in the same moment', () => {
  it('agree with what the phones have seen', async () => {
    const at = Date.now() + 4_000;
    const bodies = Array.from({ length: 16 }, (_, i) => `Race ${i}`);
    const ids = await Promise.all(
      bodies.map(body => send(main.channelId, { phone: BEN }, body, new Date(at).toISOString())),
    );
    const answers = await Promise.all(
      ids.map(async (id, i) => {
        await untilInstant(at - 60 + i * 8);
        return (await client('DELETE', `/v1/messages/${id}`)).status;
      }),
    );
    for (const [i, id] of ids.entries()) {
      const gone = answers[i] === 204;
      expect(answers[i]).toBe(gone ? 204 : 409);
      await until(async () => (await message(id)).delivery.status === (gone ? 'cancelled' : 'delivered'));
    }
    const counts = await Promise.all(bodies.map(async body => (await arrived(body)).length));
    expect(counts).toEqual(answers.map(status => (status === 204 ? 0 : 1)));
  });
});

describe('a reminder in its last second', () => {
  it('is paused, moved, rewritten or resumed, and each instant comes once', async () => {
    const paused = await plan('Paused', 4);
    const moved = await plan('Moved', 4);
    const rewritten = await plan('Old words', 4);
    const resumed = await plan('Resumed', 5);
    await untilInstant(Date.parse(paused.next?.at ?? '') - 900);
    await client('POST', `/v1/reminders/${paused.id}/pause`);
    const change = (id: string, body: object) => client('PATCH', `/v1/reminders/${id}`, body);
    await change(moved.id, { schedule: { start_local: localIn(4), time_zone: 'UTC' } });
    await change(rewritten.id, { content: text('New words') });
    await client('POST', `/v1/reminders/${resumed.id}/pause`);
    await client('POST', `/v1/reminders/${resumed.id}/resume`);
    for (const { id } of [moved, rewritten, resumed]) {
      await until(async () => (await reminder(id)).status === 'ended', { within: 30_000 });
    }
    for (const body of ['Moved', 'New words', 'Resumed']) {
      await until(async () => (await arrived(body)).length === 2);
      expect((await arrived(body)).map(entry => entry.copies)).toEqual([1, 1]);
    }
    expect(await arrived('Old words')).toEqual([]);
    expect(await arrived('Paused')).toEqual([]);
    expect(await reminder(paused.id)).toMatchObject({ status: 'paused', next: null });
  });
});

describe('the demo', () => {
  it('leaves the folder of a running one alone', async () => {
    const facts = join(dataDir, 'demo.json');
    const before = readFileSync(facts, 'utf8');
    const second = spawnDemo(dataDir);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`The data folder ${dataDir} is in use by process`);
    expect(readFileSync(facts, 'utf8')).toBe(before);
  });

  it('goes on after kill -9: still paired, and the reminder comes once', async () => {
    const { id } = await plan('After the crash', 10);
    await running.end('SIGKILL');
    await start();
    await connected(client, main.channelId);
    await until(async () => (await reminder(id)).status === 'ended', { within: 30_000 });
    await until(async () => (await arrived('After the crash')).length === 2);
    expect((await arrived('After the crash')).map(entry => entry.copies)).toEqual([1, 1]);
  });

  it('ends with 0 at a signal, also during its start, and its facts with it', async () => {
    expect(await running.end('SIGTERM')).toBe(0);
    expect(existsSync(join(dataDir, 'demo.json'))).toBe(false);
    const starting = spawnDemo(dataDir);
    await until(() => existsSync(join(dataDir, 'lock')), { within: 30_000 });
    starting.child.kill('SIGTERM');
    expect(await starting.exited).toBe(0);
    expect(existsSync(join(dataDir, 'lock'))).toBe(false);
  });
});
