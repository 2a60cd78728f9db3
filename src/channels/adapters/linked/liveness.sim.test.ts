import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { Linked, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const TIMES = { everyMs: 100, againMs: 50, answerMs: 300 };

describe('a deaf socket', () => {
  let simulator: WhatsAppSimulator;
  let linked: Linked;

  beforeEach(async () => {
    simulator = await startWhatsAppSimulator();
    linked = new Linked(simulator, { liveness: TIMES });
    await linked.pair(simulator, OWNER);
    await linked.connect();
    await until(() => linked.catchUps.length === 1);
  });
  afterEach(async () => {
    await linked.connection?.close('release');
    await simulator.close();
  });

  const words = (from: number) =>
    linked.states
      .slice(from)
      .map(state => ('reason' in state ? `${state.status} ${state.reason}` : state.status));

  it('is none while the server answers', async () => {
    const from = linked.states.length;
    await new Promise(resolve => setTimeout(resolve, 5 * TIMES.everyMs));
    expect(words(from)).toEqual([]);
  });

  it('shows as degraded while it is not sure, and as connected again when it answers', async () => {
    const from = linked.states.length;
    simulator.setFaults({ deaf: true });
    await until(() => words(from).includes('degraded not_answering'));
    simulator.setFaults({ clear: true });
    await until(() => words(from).includes('connected'));
    expect(words(from)).toEqual(['degraded not_answering', 'connected']);
    expect(linked.catchUps).toHaveLength(1);
    expect(simulator.connections().closed.filter(({ account }) => account === OWNER)).toHaveLength(0);
  });

  it('is left for a new one, which counts once it has answered', async () => {
    const from = linked.states.length;
    simulator.setFaults({ deaf: true });
    await until(() => words(from).some(word => word.startsWith('waiting')));
    simulator.setFaults({ clear: true });
    await until(() => words(from).includes('connected'));
    expect(words(from)).toEqual([
      'degraded not_answering',
      'waiting not_answering',
      'connecting',
      'connected',
    ]);
    const outcome = await linked.send(linked.wire({ kind: 'phone', phone: BEN }, 'heard again'));
    expect(outcome).toMatchObject({ outcome: 'accepted' });
  });

  it('that new ones do not cure is told as something for a person, who need not wait for the end of it', async () => {
    const from = linked.states.length;
    simulator.setFaults({ deaf: true });
    await until(() => words(from).includes('degraded restart_advised'), 20_000);
    const before = words(from);
    expect(before.filter(word => word.startsWith('waiting'))).toHaveLength(2);
    expect(before).not.toContain('connected');
    simulator.setFaults({ clear: true });
    await until(() => words(from).includes('connected'), 20_000);
    await until(() => linked.catchUps.length === 2);
  });
});
