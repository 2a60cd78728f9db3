import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { type Linked, linkedTo, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;

describe('sending', () => {
  let simulator: WhatsAppSimulator;
  let linked: Linked;

  beforeAll(async () => {
    simulator = await startWhatsAppSimulator();
    linked = await linkedTo(simulator, OWNER);
  });
  afterEach(async () => {
    simulator.setFaults({ clear: true });
    await until(() => linked.last?.status === 'connected');
  });
  afterAll(async () => {
    await linked.connection?.close('release');
    await simulator.close();
  });

  const toBen = (text: string) => linked.wire({ kind: 'phone', phone: BEN }, text);
  const toClass = (text: string) => linked.wire({ kind: 'group', providerId: DEMO.class3A }, text);
  const arrivals = (id: string) => simulator.ledger().filter(entry => entry.id === id);

  it('to a person is accepted by the server’s ack and arrives once, as it was written', async () => {
    const wire = toBen('Zeltlager 🏕 um 9 Uhr');
    const outcome = await linked.send(wire);
    expect(outcome).toMatchObject({ outcome: 'accepted', providerId: wire.providerId, recipients: 1 });
    await until(() => arrivals(wire.providerId).length === 1);
    expect(arrivals(wire.providerId)).toMatchObject([{ to: BEN, text: 'Zeltlager 🏕 um 9 Uhr', copies: 1 }]);
  });

  it('to a group counts the others and reports each one’s receipts by number', async () => {
    const wire = toClass('Hello class');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted', recipients: 2 });
    const facts = () => linked.facts.filter(({ providerId }) => providerId === wire.providerId);
    await until(() => facts().length === 2);
    expect(
      facts()
        .map(({ kind, recipient }) => `${kind} ${recipient}`)
        .sort(),
    ).toEqual([`delivered ${BEN}`, `delivered ${CHLOE}`]);
    simulator.read(CHLOE, DEMO.class3A);
    await until(() => facts().some(({ kind, recipient }) => kind === 'read' && recipient === CHLOE));
    expect(facts()).toHaveLength(3);
  });

  it('again under the same id and payload is one message twice on the wire', async () => {
    const wire = toBen('The same again');
    await linked.send(wire);
    expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted', providerId: wire.providerId });
    await until(() => arrivals(wire.providerId)[0]?.copies === 2);
    expect(arrivals(wire.providerId)).toMatchObject([{ text: 'The same again', copies: 2 }]);
  });

  it('to a number that is not on WhatsApp is refused with a plain sentence', async () => {
    const outcome = await linked.send(linked.wire({ kind: 'phone', phone: '+15559999999' }, 'Anybody?'));
    expect(outcome).toMatchObject({ outcome: 'refused', code: 'recipient_not_on_whatsapp' });
  });

  it.each([
    [463, { outcome: 'refused', code: 'account_restricted' }],
    [429, { outcome: 'deferred', code: 'rate_limited' }],
    [479, { outcome: 'deferred', code: 'devices_changed' }],
  ])('that the server refuses with %i', async (code, expected) => {
    const refused = toBen('no');
    simulator.setFaults({ nack: { code, count: 1 } });
    expect(await linked.send(refused)).toMatchObject(expected);
    expect(arrivals(refused.providerId)).toEqual([]);
    expect(await linked.send(toBen('yes'))).toMatchObject({ outcome: 'accepted' });
  });

  it('waits when WhatsApp has been asked too often, before anything is on the wire', async () => {
    simulator.setFaults({ query_error: { code: 429, xmlns: 'usync' } });
    const wire = linked.wire({ kind: 'phone', phone: '+15558888888' }, 'x');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'deferred', code: 'rate_limited' });
  });

  it('without an ack by the deadline is unknown, and a late one is told', async () => {
    await linked.send(toBen('warm'));
    simulator.setFaults({ number: OWNER, latency_ms: 400 });
    const wire = toBen('slow');
    expect(await linked.send(wire, 150)).toEqual({ outcome: 'unknown', cause: 'no_answer' });
    await until(() => linked.answers.some(({ providerId }) => providerId === wire.providerId));
    expect(linked.answers.at(-1)).toMatchObject({ outcome: { outcome: 'accepted', recipients: 1 } });
  });

  it('that is not ready for the wire by the deadline stays here and comes later', async () => {
    // A number that has written to nobody yet has everything to look up.
    const fresh = await linkedTo(simulator, CHLOE);
    const wire = fresh.wire({ kind: 'phone', phone: BEN }, 'not yet');
    fresh.store.latencyMs = 300;
    const outcome = await fresh.send(wire, 150);
    fresh.store.latencyMs = 0;
    expect(outcome).toMatchObject({ outcome: 'deferred', code: 'too_slow' });
    expect(await fresh.send(fresh.wire({ kind: 'phone', phone: BEN }, 'now'))).toMatchObject({
      outcome: 'accepted',
    });
    expect(arrivals(wire.providerId)).toEqual([]);
    await fresh.connection?.close('release');
  });

  it.each([
    ['before it took the message', { cut_on_arrival: 1 }, 0],
    ['after it took the message, before its ack', { cut_before_ack: 1 }, 1],
  ])('is unknown when the server goes %s', async (_name, fault, arrived) => {
    const before = linked.states.length;
    simulator.setFaults(fault);
    const wire = toBen('cut');
    expect(await linked.send(wire)).toEqual({ outcome: 'unknown', cause: 'connection_lost' });
    await until(() => linked.states.slice(before).some(({ status }) => status === 'connected'));
    expect(arrivals(wire.providerId)).toHaveLength(arrived);
  });

  it('stays here when the server goes while it is encrypted, and goes out once on the next connection', async () => {
    await linked.send(toBen('warm'));
    const before = linked.states.length;
    const wire = toBen('at the second try');
    const answered = Promise.withResolvers<void>();
    linked.store.beforeWrite = () => {
      linked.store.beforeWrite = () => undefined;
      simulator.setFaults({ stream_error: { code: 503 } });
      return answered.promise;
    };
    expect(await linked.send(wire)).toMatchObject({ outcome: 'deferred', code: 'not_sent' });
    answered.resolve();
    await until(() => linked.states.slice(before).some(({ status }) => status === 'connected'));
    expect(arrivals(wire.providerId)).toEqual([]);
    expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted' });
    await until(() => arrivals(wire.providerId).length > 0);
    expect(arrivals(wire.providerId)).toMatchObject([{ text: 'at the second try', copies: 1 }]);
  });

  it('whose look-up the server leaves unanswered as it goes holds up nothing on the next connection', async () => {
    await linked.send(toBen('warm'));
    const before = linked.states.length;
    simulator.setFaults({ number: OWNER, latency_ms: 60_000 });
    const asking = linked.send(linked.wire({ kind: 'phone', phone: '+15557777777' }, 'who?'), 60_000);
    const behind = linked.send(toBen('behind'), 60_000);
    // Time for the question to leave; the answer would take a minute.
    await new Promise(resolve => setTimeout(resolve, 100));
    simulator.setFaults({ clear: true });
    simulator.setFaults({ stream_error: { code: 503 } });
    expect(await asking).toMatchObject({ outcome: 'deferred', code: 'not_sent' });
    expect(await behind).toMatchObject({ outcome: 'deferred', code: 'not_connected' });
    await until(() => linked.states.slice(before).some(({ status }) => status === 'connected'));
    expect(await linked.send(toBen('next'))).toMatchObject({ outcome: 'accepted' });
  });

  it('that was acked stays accepted when the socket is cut right after', async () => {
    const before = linked.states.length;
    simulator.setFaults({ cut_after_ack: 1 });
    expect(await linked.send(toBen('lucky'))).toMatchObject({ outcome: 'accepted' });
    await until(() => linked.states.slice(before).some(({ status }) => status === 'connected'));
  });

  it('answers a phone that cannot read it, also when the answer has to come from the stored payload', async () => {
    simulator.setFaults({ offline: [BEN] });
    const wire = toBen('readable at the second try');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted' });
    await linked.connection?.close('release');
    await linked.connect();
    simulator.setFaults({ number: BEN, corrupt_outbound: 1, offline: [] });
    await until(() => arrivals(wire.providerId).length === 1);
    expect(arrivals(wire.providerId)).toMatchObject([{ text: 'readable at the second try', copies: 1 }]);
    expect(linked.asked).toEqual([wire.providerId]);
  });

  it.each([
    ['to a person', (text: string) => toBen(text)],
    ['to a group', (text: string) => toClass(text)],
  ])(
    '%s is asked for again by its phone on the next socket, when the store was away as it asked',
    async (_to, wireFor) => {
      await Promise.all([linked.send(toBen('warm')), linked.send(toClass('warm'))]);
      simulator.setFaults({ offline: [BEN] });
      const wire = wireFor('readable at the second try');
      expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted' });
      const before = linked.states.length;
      linked.store.refuses = true;
      simulator.setFaults({ number: BEN, corrupt_outbound: 1, offline: [] });
      await until(() => linked.states.slice(before).some(({ status }) => status === 'waiting'));
      expect(linked.states[before]).toMatchObject({ reason: 'store_unavailable' });
      const here = () => arrivals(wire.providerId).filter(({ to }) => to === BEN);
      expect(here()).toEqual([]);
      linked.store.refuses = false;
      await until(() => here().length === 1);
      expect(here()).toMatchObject([{ text: 'readable at the second try', copies: 1 }]);
    },
  );

  it.each([
    ['to a person', (text: string) => toBen(text)],
    ['to a group', (text: string) => toClass(text)],
  ])('%s is written again as often as its phone asks for it on one socket', async (_to, wireFor) => {
    simulator.setFaults({ number: BEN, corrupt_outbound: 4 });
    const wire = wireFor('readable at the fifth try');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted' });
    await until(() => arrivals(wire.providerId).some(({ to }) => to === BEN));
  });

  it('is not confirmed as asked for while its stored payload cannot be read', async () => {
    simulator.setFaults({ offline: [BEN] });
    const wire = toBen('readable at the second try');
    await linked.send(wire);
    await linked.connection?.close('release');
    await linked.connect();
    const before = linked.states.length;
    linked.refusesPayloads = true;
    simulator.setFaults({ number: BEN, corrupt_outbound: 1, offline: [] });
    await until(() => linked.states.slice(before).some(({ status }) => status === 'waiting'));
    expect(arrivals(wire.providerId)).toEqual([]);
    linked.refusesPayloads = false;
    await until(() => arrivals(wire.providerId).length === 1);
  });

  it('many at once are all acked', async () => {
    const wires = Array.from({ length: 30 }, (_, i) => (i % 2 ? toBen(`p${i}`) : toClass(`g${i}`)));
    const outcomes = await Promise.all(wires.map(wire => linked.send(wire, 20_000)));
    expect(outcomes.filter(({ outcome }) => outcome !== 'accepted')).toEqual([]);
    await until(() => wires.every(({ providerId }) => arrivals(providerId).length > 0));
    expect(wires.flatMap(({ providerId }) => arrivals(providerId)).every(({ copies }) => copies === 1)).toBe(
      true,
    );
  });

  it('is put off when the store refuses the ratchet, and nothing is on the wire', async () => {
    await Promise.all([linked.send(toBen('warm')), linked.send(toClass('warm'))]);
    linked.store.refuses = true;
    const wires = [toBen('never'), toClass('never')];
    const outcomes = await Promise.all(wires.map(wire => linked.send(wire)));
    expect(outcomes).toMatchObject([
      { outcome: 'deferred', code: 'not_sent' },
      { outcome: 'deferred', code: 'not_sent' },
    ]);
    linked.store.refuses = false;
    expect(await linked.send(toClass('again'))).toMatchObject({ outcome: 'accepted' });
    expect(wires.flatMap(({ providerId }) => arrivals(providerId))).toEqual([]);
  });

  it('ends the socket without a byte when the right to write lapses in the middle', async () => {
    await linked.send(toBen('warm'));
    linked.store.beforeWrite = () => {
      linked.mayWrite = false;
    };
    const wire = toBen('too late');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'deferred', code: 'not_sent' });
    await until(() => simulator.connections().open.length === 0);
    expect(arrivals(wire.providerId)).toEqual([]);
    expect(await linked.send(wire)).toMatchObject({ outcome: 'deferred', code: 'not_connected' });
    linked.store.beforeWrite = () => undefined;
    linked.mayWrite = true;
    await linked.connect();
  });
});
