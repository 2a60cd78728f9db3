import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, until } from './client.fixture.ts';
import { DEMO, Refusal, startWhatsAppSimulator, type WhatsAppSimulator } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const BEN_JID = `${DEMO.ben}@s.whatsapp.net`;

let simulator: WhatsAppSimulator;
beforeEach(async () => {
  simulator = await startWhatsAppSimulator();
});
afterEach(async () => simulator.close());

describe('pairing', () => {
  it('works with a code typed into the phone, also after a wrong one', async () => {
    const client = new Client(simulator);
    client.start();
    await until(() => client.qr !== undefined);
    const code = await client.required().requestPairingCode(DEMO.owner);
    await expect(simulator.linkCode(OWNER, 'AAAAAAA1')).rejects.toThrow(/Wrong code/);
    expect(await simulator.linkCode(OWNER, `${code.slice(0, 4)}-${code.slice(4).toLowerCase()}`)).toBe(1);
    await until(() => client.ending !== undefined);
    expect(client.ending?.code).toBe(515);
    expect(await client.connect()).toBe('open');
    expect(simulator.phones()[0]?.linked[0]?.connected).toBe(true);
  });

  it('refuses what is no code, a stale code, a code for nobody and a fifth device', async () => {
    expect(() => simulator.scan(OWNER, 'https://example.org/')).toThrow(/not a WhatsApp pairing code/);
    expect(() => simulator.scan(OWNER, '2@gone,AAAA,AAAA,AAAA')).toThrow(/no longer valid/);
    await expect(simulator.linkCode(OWNER, 'ABCD1234')).rejects.toThrow(Refusal);
    for (let device = 1; device <= 4; device += 1) {
      const client = new Client(simulator);
      await client.pair(OWNER);
      await client.leave();
    }
    const fifth = new Client(simulator);
    fifth.start();
    await until(() => fifth.qr !== undefined);
    expect(() => simulator.scan(OWNER, fifth.qr ?? '')).toThrow(/already has 4/);
    await fifth.leave();
  });

  it('hands the chats and names of the phone to a client that wants history', async () => {
    simulator.send(BEN, OWNER, 'Before you came');
    const client = new Client(simulator, { shouldSyncHistoryMessage: () => true });
    await client.pair(OWNER);
    await until(() => client.seen('messaging-history.set').length >= 2);
    const [chats, names] = client.seen('messaging-history.set');
    expect(chats?.messages.map(message => message.message?.conversation)).toEqual(['Before you came']);
    const known = await client.required().signalRepository.lidMapping.getLIDForPN(BEN_JID);
    expect(known).toBe('900000000000002@lid');
    expect(names?.contacts).toContainEqual({ id: BEN_JID, notify: 'Ben' });
    await client.leave();
  });
});

describe('two companions of one number', () => {
  it('see each other’s messages, those of the phone, and all that comes in', async () => {
    const [first, second] = [new Client(simulator), new Client(simulator)];
    await first.pair(OWNER);
    await second.pair(OWNER);
    const sent = await first.required().sendMessage(BEN_JID, { text: 'From the first' });
    await until(() => second.outbox().length === 1);
    expect(second.outbox()[0]).toMatchObject({ id: sent?.key.id, chat: BEN_JID, text: 'From the first' });
    await second.required().sendMessage(DEMO.class3A, { text: 'From the second' });
    await until(() => first.outbox().some(one => one.text === 'From the second'));
    simulator.send(OWNER, BEN, 'From the phone');
    simulator.send(BEN, OWNER, 'Back to you all');
    for (const client of [first, second]) {
      await until(() => client.outbox().some(one => one.text === 'From the phone' && one.chat === BEN_JID));
      await until(() => client.inbox().some(one => one.text === 'Back to you all'));
    }
    expect(simulator.ledger().map(({ to, copies }) => [to, copies])).toHaveLength(3);
    await first.leave();
    await second.leave();
  });
});

describe('the end of a connection', () => {
  it('is 440 for the older of two sockets of one device', async () => {
    const client = new Client(simulator);
    await client.pair(OWNER);
    const twin = client.copy();
    expect(await twin.connect()).toBe('open');
    await until(() => client.ending !== undefined);
    expect(client.ending).toEqual({ code: 440, type: 'replaced' });
    await until(() => simulator.connections().closed.length === 1);
    expect(simulator.connections().closed[0]).toMatchObject({
      account: OWNER,
      device: 1,
      reason: 'replaced',
    });
    expect(simulator.connections().open).toHaveLength(1);
    await twin.leave();
  });

  it('is 401 when the phone unlinks it, now and at each later login', async () => {
    const client = new Client(simulator);
    await client.pair(OWNER);
    expect(simulator.unlink(OWNER)).toEqual([1]);
    await until(() => client.ending !== undefined);
    expect(client.ending).toEqual({ code: 401, type: 'device_removed' });
    expect(await client.connect()).toMatchObject({ code: 401 });
  });

  it.each([403, 405] as const)('is a refused login with %i until it is cleared', async reason => {
    const client = new Client(simulator);
    await client.pair(OWNER);
    await client.leave();
    simulator.setFaults({ number: OWNER, refuse_login: { reason, count: 1 } });
    expect(await client.connect()).toMatchObject({ code: reason });
    expect(await client.connect()).toBe('open');
    await client.leave();
  });

  it.each([503, 500, 515])('is a stream error %i when told so', async code => {
    const client = new Client(simulator);
    await client.pair(OWNER);
    simulator.setFaults({ stream_error: { code } });
    await until(() => client.ending !== undefined);
    expect(client.ending?.code).toBe(code);
    expect(await client.connect()).toBe('open');
    await client.leave();
  });

  it('is 428 when the network cuts it', async () => {
    const client = new Client(simulator);
    await client.pair(OWNER);
    simulator.setFaults({ cut: true });
    await until(() => client.ending !== undefined);
    expect(client.ending?.code).toBe(428);
  });
});
