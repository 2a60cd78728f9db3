import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, until } from './client.fixture.ts';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;
const BEN_JID = `${DEMO.ben}@s.whatsapp.net`;

describe('the life of a linked device', () => {
  let simulator: WhatsAppSimulator;
  let client: Client;

  beforeAll(async () => {
    simulator = await startWhatsAppSimulator();
    client = new Client(simulator);
  });
  afterAll(async () => simulator.close());

  it('pairs by QR code, is told to restart and logs in', async () => {
    client.start();
    await until(() => client.qr !== undefined);
    expect(simulator.scan(OWNER, client.qr ?? '')).toBe(1);
    await until(() => client.ending !== undefined);
    expect(client.ending?.code).toBe(515);
    expect(await client.connect()).toBe('open');
    expect(client.creds.me?.id).toBe(`${DEMO.owner}:1@s.whatsapp.net`);
    expect(simulator.phones()[0]?.linked).toMatchObject([{ device: 1, connected: true }]);
  });

  it('lists the groups that the number is in', async () => {
    const groups = Object.values(await client.required().groupFetchAllParticipating());
    expect(new Map(groups.map(group => [group.subject, group.participants.length]))).toEqual(
      new Map([
        ['Class 3A', 3],
        ['Class 3B', 2],
      ]),
    );
  });

  it('sends to a person, whose phone decrypts, reports delivery and later reading', async () => {
    const sent = await client.required().sendMessage(BEN_JID, { text: 'Hello Ben' });
    const id = sent?.key.id ?? '';
    await until(() => simulator.ledger().length === 1);
    expect(simulator.ledger()[0]).toMatchObject({
      id,
      chat: BEN,
      from: OWNER,
      to: BEN,
      text: 'Hello Ben',
      copies: 1,
    });
    await until(() => client.acks.some(ack => ack.id === id));
    expect(client.acks.find(ack => ack.id === id)?.error).toBeUndefined();
    const own = () => simulator.phones()[0]?.chats.find(chat => chat.id === BEN)?.messages[0];
    await until(() => own()?.tick === 'delivered');
    expect(own()).toMatchObject({ id, outgoing: true, text: 'Hello Ben' });
    simulator.read(BEN, OWNER);
    await until(() => client.status(id) === 4);
    expect(own()?.tick).toBe('read');
  });

  it('sends to a group, whose members decrypt the sender key and report one by one', async () => {
    const sent = await client.required().sendMessage(DEMO.class3A, { text: 'Hello class' });
    const id = sent?.key.id ?? '';
    const entries = () => simulator.ledger().filter(entry => entry.id === id);
    await until(() => entries().length === 2);
    for (const to of [BEN, CHLOE]) {
      const entry = entries().find(one => one.to === to);
      expect(entry).toMatchObject({ chat: DEMO.class3A, from: OWNER, text: 'Hello class', copies: 1 });
    }
    await until(() => client.receipts(id).length === 2);
    expect(client.receipts(id).every(receipt => receipt.receiptTimestamp)).toBe(true);
  });

  it('gets messages of contacts and in groups, and keeps what comes while it is away', async () => {
    simulator.send(BEN, OWNER, 'Hi Olivia');
    simulator.send(CHLOE, DEMO.class3A, 'Me too');
    await until(() => client.inbox().length >= 2);
    expect(client.inbox()).toMatchObject([
      { chat: BEN_JID, text: 'Hi Olivia', type: 'notify' },
      { chat: DEMO.class3A, text: 'Me too', type: 'notify' },
    ]);
    await client.leave();
    simulator.send(BEN, OWNER, 'While you were away');
    expect(await client.connect()).toBe('open');
    await until(() => client.inbox().some(message => message.text === 'While you were away'));
    expect(client.inbox().at(-1)?.type).toBe('append');
  });

  it('logs out, and its credentials are worth nothing from then on', async () => {
    await client.required().logout();
    await until(() => simulator.phones()[0]?.linked.length === 0);
    expect(await client.connect()).toMatchObject({ code: 401 });
  });
});
