import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { Linked, linkedTo, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;

describe('intake first', () => {
  let simulator: WhatsAppSimulator;
  let linked: Linked;

  beforeEach(async () => {
    simulator = await startWhatsAppSimulator();
    linked = await linkedTo(simulator, OWNER);
    simulator.send(BEN, OWNER, 'warm');
    simulator.send(CHLOE, DEMO.class3A, 'warm');
    await until(() => linked.texts().length === 2);
  });
  afterEach(async () => {
    await linked.connection?.close('release');
    await simulator.close();
  });

  const isBack = (from: number) => linked.states.slice(from).some(({ status }) => status === 'connected');
  const newTexts = () => linked.texts().filter(text => text !== 'warm');
  const kinds = () => linked.messages().map(({ kind }) => kind);

  /** The process dies: nothing more is written, and another one goes on with what is stored. */
  async function dieAndGoOn(): Promise<void> {
    linked.mayWrite = false;
    await linked.connection?.close('release');
    const next = new Linked(simulator);
    Object.assign(next.store, {
      credentials: linked.store.credentials,
      keys: new Map(linked.store.keys),
      inbound: new Map(linked.store.inbound),
    });
    linked = next;
    await linked.connect();
    await until(() => linked.catchUps.length === 1);
  }

  it.each([
    ['a person', () => simulator.send(BEN, OWNER, 'once')],
    ['a group', () => simulator.send(CHLOE, DEMO.class3A, 'once')],
  ])('knows a message of %s once that was stored just before the process died', async (_who, write) => {
    const dying = Promise.withResolvers<void>();
    linked.store.afterOpened = () => {
      linked.mayWrite = false;
      dying.resolve();
    };
    write();
    await dying.promise;
    await dieAndGoOn();
    // What is confirmed is not brought again: this one was not, and is now.
    await linked.connection?.close('release');
    await linked.connect();
    await until(() => linked.catchUps.length === 2);
    expect(newTexts()).toEqual(['once']);
    expect(new Set(kinds())).toEqual(new Set(['text']));
  });

  it('gets a message again that could not be stored, and has not asked its sender for it', async () => {
    const from = linked.states.length;
    linked.store.refuses = true;
    linked.refusesReports = true;
    simulator.send(BEN, OWNER, 'when there is room');
    await until(() => linked.states.slice(from).some(({ status }) => status === 'waiting'));
    expect(linked.states[from]).toMatchObject({ reason: 'store_unavailable' });
    linked.store.refuses = false;
    linked.refusesReports = false;
    await until(() => newTexts().length === 1 && isBack(from));
    expect(newTexts()).toEqual(['when there is room']);
    expect(kinds()).not.toContain('undecryptable');
  });

  it('gets the first message of a stranger again whose names could not be stored', async () => {
    const dora = '+15550000009';
    simulator.addPhone(dora, 'Dora');
    const from = linked.states.length;
    let writes = 0;
    linked.store.beforeWrite = () => {
      if (++writes === 1) throw new Error('The database is away.');
    };
    simulator.send(dora, OWNER, 'hello');
    await until(() => newTexts().length === 1 && isBack(from));
    expect(newTexts()).toEqual(['hello']);
    expect(writes).toBeGreaterThan(1);
    expect(kinds()).not.toContain('undecryptable');
  });

  it.each([
    ['a person', () => simulator.send(BEN, OWNER, 'damaged at first')],
    ['a group', () => simulator.send(CHLOE, DEMO.class3A, 'damaged at first')],
  ])('leaves a placeholder for a damaged message of %s, which the retry fills in', async (_who, write) => {
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    write();
    await until(() => newTexts().length === 1);
    expect(kinds()).toEqual(['text', 'text', 'undecryptable', 'text']);
    const [placeholder, message] = linked.messages().slice(2);
    expect(placeholder?.key).toBe(message?.key);
  });

  it('asks again for a damaged message when it could not be asked for, and confirms it only then', async () => {
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    const from = linked.states.length;
    const store = linked.inbound.bind(linked);
    linked.inbound = async raw => {
      await store(raw);
      linked.store.refuses = true;
    };
    simulator.send(BEN, OWNER, 'damaged at first');
    await until(() => linked.states.slice(from).some(({ status }) => status === 'waiting'));
    expect(linked.states[from]).toMatchObject({ reason: 'store_unavailable' });
    linked.inbound = store;
    linked.store.refuses = false;
    await until(() => newTexts().length === 1 && isBack(from));
    expect(newTexts()).toEqual(['damaged at first']);
  });

  it('keeps the placeholder when the process dies before the retry, which then fills it in', async () => {
    simulator.setFaults({ number: OWNER, corrupt_inbound: 1 });
    simulator.send(BEN, OWNER, 'damaged at first');
    await until(() => kinds().includes('undecryptable'));
    await dieAndGoOn();
    await until(() => newTexts().length === 1);
    expect(kinds().filter(kind => kind === 'undecryptable')).toHaveLength(1);
    expect(newTexts()).toEqual(['damaged at first']);
  });

  it('shows that there is a message whose content this device never gets', async () => {
    simulator.setFaults({ number: OWNER, withhold: 1 });
    simulator.send(BEN, OWNER, 'look at it once');
    await until(() => kinds().includes('undecryptable'));
    simulator.send(BEN, OWNER, 'and this one');
    await until(() => newTexts().length === 1);
    expect(kinds().slice(2)).toEqual(['undecryptable', 'text']);
  });

  it('takes a message that comes live and again with the backlog for one', async () => {
    simulator.setFaults({ number: OWNER, duplicate: 1 });
    simulator.send(BEN, OWNER, 'live and again');
    await until(() => newTexts().length === 1);
    simulator.setFaults({ clear: true });
    await dieAndGoOn();
    expect(linked.messages().slice(2)).toMatchObject([{ kind: 'text', text: 'live and again' }]);
  });

  it('is told of a receipt again that was not stored when the process died', async () => {
    linked.refusesReports = true;
    await linked.send(linked.wire({ kind: 'phone', phone: BEN }, 'Hello'));
    await until(() => linked.refused > 0);
    expect(linked.facts).toEqual([]);
    await dieAndGoOn();
    expect(linked.facts).toMatchObject([{ kind: 'delivered', recipient: BEN }]);
  });

  it('stores a receipt in spite of a short absence, confirms it, and is told of it once', async () => {
    linked.refusesReports = true;
    await linked.send(linked.wire({ kind: 'phone', phone: BEN }, 'Hello'));
    await until(() => linked.refused > 0);
    linked.refusesReports = false;
    await until(() => linked.facts.length === 1);
    await linked.connection?.close('release');
    await linked.connect();
    await until(() => linked.catchUps.length === 2);
    expect(linked.facts).toHaveLength(1);
  });

  it('begins a new connection when a report cannot be stored at all, and says that it lags until it could', async () => {
    const from = linked.states.length;
    const caughtUp = linked.catchUps.length;
    linked.refusesReports = true;
    await linked.send(linked.wire({ kind: 'phone', phone: BEN }, 'Hello'));
    await until(() => linked.states.slice(from).some(({ status }) => status === 'waiting'));
    expect(linked.states[from]).toMatchObject({ reason: 'store_unavailable' });
    linked.refusesReports = false;
    await until(() => linked.catchUps.length > caughtUp);
    expect(linked.facts).toMatchObject([{ kind: 'delivered', recipient: BEN }]);
    expect(linked.catchUps.at(-1)).toEqual({ answers: 0, facts: 1 });
  });

  it('asks again for what the server has kept when the first request was refused', async () => {
    await linked.connection?.close('release');
    simulator.send(BEN, OWNER, 'while you were away');
    simulator.setFaults({ query_error: { code: 503, xmlns: 'passive', count: 1 } });
    const next = new Linked(simulator, { liveness: { backlogMs: 50 } });
    Object.assign(next.store, linked.store);
    linked = next;
    await linked.connect();
    await until(() => linked.catchUps.length === 1);
    expect(newTexts()).toEqual(['while you were away']);
  });
});
