import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { type Linked, linkedTo, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;

describe('the names of a person', () => {
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
  const sendersOf = (text: string) =>
    linked.messages().flatMap(one => (one.kind === 'text' && one.text === text ? [one.sender] : []));

  it('are all known when a stanza tells the number and the LID', async () => {
    simulator.send(BEN, OWNER, 'stop');
    await until(() => linked.texts().includes('stop'));
    expect(sendersOf('stop')).toMatchObject([[{ kind: 'phone', value: BEN }, { kind: 'whatsapp_lid' }]]);
  });

  it('are the LID alone while nothing else was told, and the number with it once it is known', async () => {
    const dora = '+15550000009';
    simulator.addPhone(dora, 'Dora');
    simulator.setFaults({ number: OWNER, hide_numbers: true });
    simulator.send(dora, OWNER, 'from a stranger');
    await until(() => linked.texts().includes('from a stranger'));
    expect(sendersOf('from a stranger')).toMatchObject([[{ kind: 'whatsapp_lid' }]]);
    const [[stranger] = []] = sendersOf('from a stranger');
    await linked.send(linked.wire({ kind: 'phone', phone: dora }, 'Hello'));
    expect(linked.addressed).toEqual([[{ kind: 'phone', value: dora }, stranger]]);
    simulator.send(dora, OWNER, 'from somebody known');
    await until(() => linked.texts().includes('from somebody known'));
    expect(sendersOf('from somebody known')).toEqual([[{ kind: 'phone', value: dora }, stranger]]);
  });

  it('include the number when the LID was seen beside it before, as in a group', async () => {
    simulator.setFaults({ number: OWNER, hide_numbers: true });
    simulator.send(BEN, OWNER, 'stop');
    await until(() => linked.texts().includes('stop'));
    expect(sendersOf('stop')).toMatchObject([[{ kind: 'phone', value: BEN }, { kind: 'whatsapp_lid' }]]);
  });

  it('are told before each message, and it is kept back when they reveal an opt-out', async () => {
    linked.wanted = 'opted_out';
    expect(await linked.send(toBen('unwanted'))).toMatchObject({ outcome: 'refused', code: 'opted_out' });
    const answer = { ...toBen('your own wish'), answersOptOut: true };
    expect(await linked.send(answer)).toMatchObject({ outcome: 'accepted' });
    linked.wanted = 'go_on';
    expect(await linked.send(toBen('welcome'))).toMatchObject({ outcome: 'accepted' });
    await linked.send(linked.wire({ kind: 'group', providerId: DEMO.class3A }, 'to all'));
    expect(linked.addressed).toHaveLength(3);
    expect(
      simulator
        .ledger()
        .filter(entry => entry.to === BEN)
        .map(entry => entry.text),
    ).toEqual(['your own wish', 'welcome', 'to all']);
  });
});
