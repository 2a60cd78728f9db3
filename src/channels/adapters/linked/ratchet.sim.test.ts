import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { Linked, linkedTo, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;
const MANY = 100;

describe('ratchets', () => {
  let simulator: WhatsAppSimulator;
  let linked: Linked;

  beforeEach(async () => {
    simulator = await startWhatsAppSimulator();
    linked = await linkedTo(simulator, OWNER);
  });
  afterEach(async () => {
    await linked.connection?.close('release');
    await simulator.close();
  });

  const toBen = (text: string) => linked.wire({ kind: 'phone', phone: BEN }, text);
  const textsAt = (number: string) => simulator.ledger().filter(entry => entry.to === number);

  it.each([1, 2])(
    '100 sends overlapping 100 inbound messages of the same peer, store latency %i ms',
    async latencyMs => {
      linked.store.latencyMs = latencyMs;
      expect(await linked.send(toBen('warm'))).toMatchObject({ outcome: 'accepted' });
      simulator.send(BEN, OWNER, 'warm');
      await until(() => linked.texts().length === 1);

      const sending = (async () => {
        const outcomes = [];
        for (let i = 0; i < MANY; i++) outcomes.push(linked.send(toBen(`out ${i}`), 30_000));
        return Promise.all(outcomes);
      })();
      for (let i = 0; i < MANY; i++) {
        simulator.send(BEN, OWNER, `in ${i}`);
        await new Promise(resolve => setTimeout(resolve, 3));
      }
      expect((await sending).filter(({ outcome }) => outcome !== 'accepted')).toEqual([]);
      await until(() => linked.texts().length > MANY && textsAt(BEN).length > MANY, 20_000);

      expect(new Set(linked.texts()).size).toBe(MANY + 1);
      expect(linked.messages().filter(({ kind }) => kind !== 'text')).toEqual([]);
      expect(textsAt(BEN).map(({ copies }) => copies)).toEqual(Array(MANY + 1).fill(1));
      expect(linked.asked).toEqual([]);
    },
  );

  it('two numbers in one process that write to the same peer at once do not disturb each other', async () => {
    const other = await linkedTo(simulator, BEN);
    const both = [linked, other];
    for (const one of both) one.store.latencyMs = 1;
    const wires = both.flatMap(one =>
      Array.from({ length: 30 }, (_, i) => ({
        one,
        wire: one.wire({ kind: 'phone', phone: CHLOE }, `${i}`),
      })),
    );
    const outcomes = await Promise.all(wires.map(({ one, wire }) => one.send(wire, 30_000)));
    expect(outcomes.filter(({ outcome }) => outcome !== 'accepted')).toEqual([]);
    await until(() => textsAt(CHLOE).length === wires.length);
    expect(textsAt(CHLOE).map(({ copies }) => copies)).toEqual(Array(wires.length).fill(1));
    expect(both.flatMap(({ asked }) => asked)).toEqual([]);
    await other.connection?.close('release');
  });

  it('a message that is brought again is answered from what was stored', async () => {
    simulator.setFaults({ number: OWNER, duplicate: 1 });
    simulator.send(BEN, OWNER, 'twice');
    simulator.send(CHLOE, DEMO.class3A, 'twice in the group');
    await until(() => linked.texts().length === 2);
    simulator.setFaults({ clear: true });
    simulator.send(BEN, OWNER, 'once');
    await until(() => linked.texts().length === 3);
    expect(linked.texts().sort()).toEqual(['once', 'twice', 'twice in the group']);
    expect(linked.messages()).toHaveLength(3);
  });

  it('what came while the number was away arrives on the next connection', async () => {
    await linked.connection?.close('release');
    for (let i = 0; i < 5; i++) simulator.send(i % 2 ? BEN : CHLOE, OWNER, `away ${i}`);
    simulator.send(CHLOE, DEMO.class3A, 'away in the group');
    await linked.connect();
    await until(() => linked.texts().length === 6);
    expect(linked.texts().filter(text => text.startsWith('away'))).toHaveLength(6);
  });

  it('what the owner writes on the phone is no inbound message', async () => {
    simulator.send(OWNER, BEN, 'from my own phone');
    simulator.send(BEN, OWNER, 'an answer');
    await until(() => linked.texts().length > 0);
    expect(linked.texts()).toEqual(['an answer']);
  });

  it('a crash at the instant of sending leaves the next group message readable', async () => {
    const group = { kind: 'group', providerId: DEMO.class3A } as const;
    await linked.send(linked.wire(group, 'A'));
    const sent = linked.send(linked.wire(group, 'B'));
    await until(() => textsAt(CHLOE).length === 2);
    const snapshot = { credentials: linked.store.credentials, keys: new Map(linked.store.keys) };
    await sent;
    await linked.connection?.close('release');
    const restarted = new Linked(simulator);
    Object.assign(restarted.store, snapshot);
    await restarted.connect();
    await restarted.send(restarted.wire(group, 'C'));
    await until(() => textsAt(CHLOE).length === 3 && textsAt(BEN).length === 3);
    expect(textsAt(CHLOE).map(({ text, copies }) => `${text}${copies}`)).toEqual(['A1', 'B1', 'C1']);
    await restarted.connection?.close('release');
  });
});
