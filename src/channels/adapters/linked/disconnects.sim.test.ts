import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { Linked, linkedTo, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;

describe('a connection', () => {
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

  const since = (from: number) => linked.states.slice(from);

  it.each([
    ['a cut', { cut: true }, 'connection_closed'],
    ['stream error 503', { stream_error: { code: 503 } }, 'server_busy'],
    ['stream error 500', { stream_error: { code: 500 } }, 'server_error'],
  ])('comes back after %s', async (_name, fault, reason) => {
    const from = linked.states.length;
    simulator.setFaults(fault);
    await until(() => since(from).some(({ status }) => status === 'connected'));
    expect(since(from).map(({ status }) => status)).toEqual(['waiting', 'connecting', 'connected']);
    expect(since(from)[0]).toMatchObject({ reason });
    expect(await linked.send(linked.wire({ kind: 'phone', phone: BEN }, 'back'))).toMatchObject({
      outcome: 'accepted',
    });
  });

  it('tells of a fault of ours that nobody foresaw, and tries again', async () => {
    const nowhere = new Linked({ ...simulator, socketUrl: 'no address at all' });
    Object.assign(nowhere.store, { credentials: linked.store.credentials });
    nowhere.connection = nowhere.adapter.connect(nowhere.store, nowhere, () => true);
    await until(() => nowhere.states.length >= 4);
    expect(nowhere.states.slice(0, 4)).toMatchObject([
      { status: 'connecting' },
      { status: 'waiting', reason: 'unexpected_end' },
      { status: 'connecting' },
      { status: 'waiting', reason: 'unexpected_end' },
    ]);
    await nowhere.connection.close('release');
  });

  it('comes back at once when it is asked to restart', async () => {
    const from = linked.states.length;
    simulator.setFaults({ stream_error: { code: 515 } });
    await until(() => since(from).some(({ status }) => status === 'connected'));
    expect(since(from).map(({ status }) => status)).toEqual(['connecting', 'connected']);
  });

  it('shows trouble when it fails again and again, and still comes back', async () => {
    simulator.setFaults({ refuse_login: { reason: 403, count: 0 } });
    const port = Number(new URL(simulator.socketUrl).port);
    await simulator.close();
    await until(() => linked.states.some(({ status }) => status === 'degraded'), 20_000);
    expect(linked.last).toMatchObject({ status: 'degraded', reason: 'unreachable' });
    simulator = await startWhatsAppSimulator({ port });
  });

  it('counts failures anew only after a connection that stood, however long ago that was', async () => {
    const port = Number(new URL(simulator.socketUrl).port);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000);
    try {
      await simulator.close();
      await until(() => linked.states.some(({ status }) => status === 'degraded'), 20_000);
      expect(linked.last).toMatchObject({ status: 'degraded', reason: 'unreachable' });
    } finally {
      vi.restoreAllMocks();
    }
    simulator = await startWhatsAppSimulator({ port });
  });

  it.each([
    [403, 'forbidden'],
    [405, 'client_outdated'],
    [401, 'logged_out'],
  ] as const)('is over when the login is refused with %i', async (reason, expected) => {
    simulator.setFaults({ refuse_login: { reason } });
    simulator.setFaults({ cut: true });
    await until(() => linked.last?.status === 'ended');
    expect(linked.last).toEqual({ status: 'ended', reason: expected });
    expect(simulator.connections().open).toEqual([]);
  });

  it('shows that WhatsApp keeps the number from starting new chats, and until when', async () => {
    simulator.setFaults({ nack: { code: 463 } });
    const refused = await linked.send(linked.wire({ kind: 'phone', phone: BEN }, 'new here'));
    expect(refused).toMatchObject({ outcome: 'refused', code: 'account_restricted' });
    await until(() => linked.last?.status === 'restricted');
    const state = linked.last;
    const endsAt = state?.status === 'restricted' ? state.until : undefined;
    expect(endsAt?.getTime()).toBeGreaterThan(Date.now());
  });

  it('is over when the owner unlinks the device on the phone', async () => {
    simulator.unlink(OWNER);
    await until(() => linked.last?.status === 'ended');
    expect(linked.last).toEqual({ status: 'ended', reason: 'logged_out' });
  });

  it('gives way when another copy of it connects, and does not fight', async () => {
    const twin = new Linked(simulator);
    Object.assign(twin.store, { credentials: linked.store.credentials, keys: new Map(linked.store.keys) });
    await twin.connect();
    await until(() => linked.last?.status === 'ended');
    expect(linked.last).toEqual({ status: 'ended', reason: 'replaced' });
    expect(twin.last?.status).toBe('connected');
    expect(simulator.connections().open).toHaveLength(1);
    await twin.connection?.close('release');
  });

  it('logs out at WhatsApp when asked to, without taking that for the owner’s doing', async () => {
    await linked.connection?.close('logout');
    expect(simulator.phones()[0]?.linked).toEqual([]);
    expect(linked.states.some(({ status }) => status === 'ended')).toBe(false);
  });

  it('that is let go keeps its device', async () => {
    await linked.connection?.close('release');
    await until(() => simulator.connections().open.length === 0);
    expect(simulator.phones()[0]?.linked).toMatchObject([{ connected: false }]);
  });

  it('without readable credentials says that they are broken', async () => {
    const broken = new Linked(simulator);
    broken.store.credentials = Buffer.from('{"not":"credentials"}');
    await broken.connect();
    expect(broken.last).toEqual({ status: 'ended', reason: 'credentials_broken' });
  });

  it('reports a renamed group, a new one and one that we are no longer in', async () => {
    simulator.renameGroup(DEMO.class3A, 'Class 4A', OWNER);
    await until(() => linked.changes.length === 1);
    expect(linked.changes[0]?.changed).toMatchObject([
      { providerId: DEMO.class3A, subject: 'Class 4A', size: 3 },
    ]);

    const created = simulator.createGroup('Choir', [CHLOE, OWNER]);
    await until(() => linked.changes.length === 2);
    expect(linked.changes[1]?.changed).toMatchObject([{ providerId: created.id, subject: 'Choir', size: 2 }]);

    simulator.removeMember(DEMO.class3B, OWNER, OWNER);
    await until(() => linked.changes.length === 3);
    expect(linked.changes[2]).toEqual({ changed: [], gone: [DEMO.class3B] });
  });

  it('reaches a member who joined while it was connected', async () => {
    simulator.addMember(DEMO.class3B, CHLOE, OWNER);
    await until(() => linked.changes.length === 1);
    const wire = linked.wire({ kind: 'group', providerId: DEMO.class3B }, 'Welcome');
    expect(await linked.send(wire)).toMatchObject({ outcome: 'accepted', recipients: 2 });
    await until(() => simulator.ledger().some(({ id, to }) => id === wire.providerId && to === CHLOE));
    expect(simulator.ledger().filter(({ id }) => id === wire.providerId)).toHaveLength(2);
  });
});
