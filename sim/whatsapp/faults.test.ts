import type { GroupMetadata } from 'baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client, until } from './client.fixture.ts';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;
const BEN_JID = `${DEMO.ben}@s.whatsapp.net`;

let simulator: WhatsAppSimulator;
let client: Client;
let cached: GroupMetadata | undefined;

beforeEach(async () => {
  simulator = await startWhatsAppSimulator();
  cached = undefined;
  client = new Client(simulator, {
    cachedGroupMetadata: async id => (cached?.id === id ? cached : undefined),
  });
  await client.pair(OWNER);
});
afterEach(async () => simulator.close());

function copies(id: string): number[] {
  return simulator.ledger().flatMap(entry => (entry.id === id ? [entry.copies] : []));
}

async function send(text: string, to = BEN_JID): Promise<string> {
  return (await client.required().sendMessage(to, { text }))?.key.id ?? '';
}

describe('a message on its way out', () => {
  it.each([463, 479, 429])('is refused with %i and reaches nobody', async code => {
    simulator.setFaults({ number: OWNER, nack: { code, count: 1 } });
    const id = await send('Refused');
    await until(() => client.acks.some(ack => ack.id === id));
    expect(client.acks.at(-1)?.error).toBe(String(code));
    const next = await send('Taken');
    await until(() => copies(next).length === 1);
    expect(copies(id)).toEqual([]);
  });

  it('is one entry with two copies when it is relayed twice with one id', async () => {
    const content = { conversation: 'Twice' };
    for (let time = 0; time < 2; time += 1) {
      await client.required().relayMessage(BEN_JID, content, { messageId: '3EB0000000000000000001' });
    }
    await until(() => copies('3EB0000000000000000001')[0] === 2);
    const bubbles = simulator.phones()[1]?.chats.find(chat => chat.id === OWNER)?.messages;
    expect(bubbles?.map(message => message.text)).toEqual(['Twice']);
  });

  it('is lost without an ack when the socket is cut on arrival', async () => {
    simulator.setFaults({ number: OWNER, cut_on_arrival: 1 });
    const id = await send('Lost');
    await until(() => client.ending !== undefined);
    expect(client.acks).toEqual([]);
    expect(copies(id)).toEqual([]);
  });

  it('arrives without an ack when the socket is cut before it', async () => {
    simulator.setFaults({ number: OWNER, cut_before_ack: 1 });
    const id = await send('Unknown to the sender');
    await until(() => client.ending !== undefined && copies(id).length === 1);
    expect(client.acks).toEqual([]);
    expect(client.ending?.code).toBe(428);
    await client.connect();
    await until(() => client.status(id) >= 3);
  });

  it('arrives with an ack when the socket is cut after it', async () => {
    simulator.setFaults({ number: OWNER, cut_after_ack: 1 });
    const id = await send('Known to the sender');
    await until(() => client.ending !== undefined && copies(id).length === 1);
    expect(client.acks.map(ack => ack.id)).toEqual([id]);
  });

  it('vanishes when the line drops it', async () => {
    simulator.setFaults({ number: OWNER, drop: 1 });
    const id = await send('Dropped');
    // Stanzas are taken in order, so this answer proves that the message was dealt with.
    await client.required().groupMetadata(DEMO.class3A);
    simulator.setFaults({ clear: true });
    const next = await send('Through');
    await until(() => client.acks.some(ack => ack.id === next));
    expect(client.acks.some(ack => ack.id === id)).toBe(false);
    expect(copies(id)).toEqual([]);
  });

  it('is sent again with fresh keys when a phone could not read it', async () => {
    await send('Hello');
    simulator.setFaults({ number: BEN, corrupt_outbound: 1 });
    const id = await send('Unreadable at first');
    await until(() => copies(id)[0] === 1);
    expect(simulator.faults().numbers[BEN]?.corrupt_outbound).toBe(0);
    simulator.setFaults({ number: CHLOE, corrupt_outbound: 1 });
    const group = await send('To both', DEMO.class3A);
    await until(() => simulator.ledger().some(entry => entry.id === group && entry.to === CHLOE));
  });

  it('waits for a phone that is switched off, and is only then delivered', async () => {
    simulator.setFaults({ offline: [BEN] });
    const id = await send('Are you there?', DEMO.class3A);
    await until(() => client.receipts(id).length === 1);
    expect(simulator.ledger().map(entry => entry.to)).toEqual([CHLOE]);
    simulator.setFaults({ offline: [] });
    await until(() => client.receipts(id).length === 2);
    expect(copies(id)).toEqual([1, 1]);
  });

  it('gets no word from a phone that keeps silent, and both words from an eager one', async () => {
    simulator.setHabits(BEN, { auto_delivered: false });
    simulator.setHabits(CHLOE, { auto_read: true });
    const id = await send('Who is there?', DEMO.class3A);
    await until(() => client.receipts(id).some(receipt => receipt.readTimestamp));
    await until(() => copies(id).length === 2);
    expect(new Set(client.receipts(id).map(receipt => receipt.userJid))).toEqual(
      new Set(['900000000000003@lid']),
    );
  });

  it('is refused in a group that the number has left, and to a number that does not exist', async () => {
    cached = await client.required().groupMetadata(DEMO.class3B);
    simulator.removeMember(DEMO.class3B, OWNER);
    const toGroup = await send('Let me in', DEMO.class3B);
    const toNobody = await send('Anyone?', '15559999999@s.whatsapp.net');
    await until(() => client.acks.length === 2);
    expect(client.acks).toEqual([
      { id: toGroup, error: '403' },
      { id: toNobody, error: '404' },
    ]);
    expect(simulator.ledger()).toEqual([]);
  });
});

describe('a message on its way in', () => {
  it('is sent again when the companion could not read it', async () => {
    simulator.send(BEN, OWNER, 'First');
    await until(() => client.inbox().length === 1);
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    simulator.send(BEN, OWNER, 'Unreadable at first');
    await until(() => client.inbox().some(one => one.text === 'Unreadable at first'));
    expect(simulator.faults().numbers[OWNER]?.corrupt_inbound).toBe(0);
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    simulator.send(CHLOE, DEMO.class3A, 'In the group too');
    await until(() => client.inbox().some(one => one.text === 'In the group too'));
  });

  it('comes again at the next login when the line has dropped it', async () => {
    simulator.setFaults({ number: OWNER, drop: 1 });
    simulator.send(BEN, OWNER, 'Dropped once');
    simulator.setFaults({ clear: true });
    await client.leave();
    await client.connect();
    await until(() => client.inbox().some(one => one.text === 'Dropped once' && one.type === 'append'));
  });

  it('may come twice, late or in another order, and is readable all the same', async () => {
    simulator.setFaults({ number: OWNER, duplicate: 1, latency_ms: 20 });
    simulator.send(BEN, OWNER, 'One');
    await until(() => client.inbox().some(one => one.text === 'One'));
    simulator.setFaults({ number: OWNER, duplicate: null, latency_ms: null, reorder: 1 });
    simulator.send(BEN, OWNER, 'Two');
    simulator.send(BEN, OWNER, 'Three');
    await until(() => client.inbox().length === 3);
    expect(client.inbox().map(one => one.text)).toEqual(['One', 'Three', 'Two']);
  });

  it('is reported by the companion to the phone that wrote it', async () => {
    const id = simulator.send(BEN, OWNER, 'Ticks?');
    const bubble = () => simulator.phones()[1]?.chats[0]?.messages.find(message => message.id === id);
    await until(() => bubble()?.tick === 'delivered');
    await client.required().readMessages([{ remoteJid: BEN_JID, id }]);
    await until(() => bubble()?.tick === 'read');
  });
});

describe('a query', () => {
  it('is refused with a rate limit for its kind only', async () => {
    simulator.setFaults({ number: OWNER, query_error: { xmlns: 'w:g2', code: 429, count: 1 } });
    await expect(client.required().groupMetadata(DEMO.class3A)).rejects.toThrow(/rate-overlimit/);
    expect((await client.required().groupMetadata(DEMO.class3A)).subject).toBe('Class 3A');
  });
});
