import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { type Linked, linkedTo, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;

describe('a connection that catches up', () => {
  let simulator: WhatsAppSimulator;
  let linked: Linked;

  beforeEach(async () => {
    simulator = await startWhatsAppSimulator();
    linked = await linkedTo(simulator, OWNER);
    await until(() => linked.catchUps.length === 1);
    await linked.send(toBen('warm'));
    await until(() => linked.facts.length === 1);
  });
  afterEach(async () => {
    await linked.connection?.close('release');
    await simulator.close();
  });

  const toBen = (text: string) => linked.wire({ kind: 'phone', phone: BEN }, text);
  const toClass = (text: string) => linked.wire({ kind: 'group', providerId: DEMO.class3A }, text);

  it('says so once, also when nothing had waited', async () => {
    simulator.setFaults({ cut: true });
    await until(() => linked.catchUps.length === 2);
    simulator.send(BEN, OWNER, 'and life goes on');
    await until(() => linked.texts().includes('and life goes on'));
    expect(linked.catchUps).toHaveLength(2);
  });

  it.each([
    ['a person', toBen],
    ['a group', toClass],
  ])('has reported the echo of a message to %s that was cut off before its ack', async (_whom, wireOf) => {
    simulator.setFaults({ cut_before_ack: 1, echo: 1, offline: [BEN, `+${DEMO.chloe}`] });
    const wire = wireOf('cut off');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'unknown' });
    await until(() => linked.catchUps.length === 2);
    expect(linked.catchUps[1]).toEqual({ answers: 1, facts: 1 });
    expect(linked.answers).toMatchObject([
      { providerId: wire.providerId, outcome: { outcome: 'accepted', providerId: wire.providerId } },
    ]);
  });

  it('has reported the receipts that came while it was away', async () => {
    await linked.connection?.close('release');
    simulator.read(BEN, OWNER);
    await linked.connect();
    await until(() => linked.catchUps.length === 2);
    expect(linked.catchUps[1]).toEqual({ answers: 0, facts: 2 });
    expect(linked.facts[1]).toMatchObject({ kind: 'read', recipient: BEN });
  });

  it('takes a phone that asks for a message again as proof that it was sent', async () => {
    simulator.setFaults({ number: BEN, corrupt_outbound: 1 });
    const wire = toBen('readable at the second try');
    await linked.send(wire);
    await until(() => linked.answers.length > 0);
    expect(linked.answers[0]).toMatchObject({
      providerId: wire.providerId,
      outcome: { outcome: 'accepted' },
    });
  });

  it('says so only when all of it could be stored', async () => {
    simulator.setFaults({ cut_before_ack: 1 });
    linked.refusesReports = true;
    const from = linked.states.length;
    await linked.send(toBen('cut off'));
    await until(() => linked.states.slice(from).some(({ status }) => status === 'connected'));
    await until(() => linked.refused > 0);
    expect(linked.catchUps).toHaveLength(1);
    linked.refusesReports = false;
    await until(() => linked.catchUps.length === 2);
    expect(linked.catchUps[1]).toEqual({ answers: 0, facts: 2 });
  });
});
