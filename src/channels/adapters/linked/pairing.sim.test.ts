import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from '../../../../sim/whatsapp/index.ts';
import { Linked, until } from './linked.fixture.ts';

const OWNER = `+${DEMO.owner}`;

describe('pairing a number', () => {
  let simulator: WhatsAppSimulator;
  let linked: Linked;

  beforeEach(async () => {
    simulator = await startWhatsAppSimulator();
    linked = new Linked(simulator);
  });
  afterEach(async () => {
    await linked.connection?.close('release');
    await simulator.close();
  });

  it('by QR code ends with the number, whose credentials are stored by then', async () => {
    expect(await linked.pair(simulator, OWNER)).toMatchObject({
      step: 'done',
      phone: OWNER,
      account: '900000000000001@lid',
    });
    expect(linked.steps.map(({ step }) => step)).toEqual(['show_qr', 'connecting', 'done']);
    expect(await linked.adapter.linkedAccount(linked.store)).toMatchObject({ phone: OWNER });
    await linked.connect();
    expect(linked.last).toMatchObject({ status: 'connected', phone: OWNER, account: '900000000000001@lid' });
  });

  it('by code ends the same way', async () => {
    for await (const step of linked.pairing({ method: 'code', phone: OWNER })) {
      if (step.step !== 'show_code') continue;
      expect(step.code).toMatch(/^[0-9A-Z]{8}$/);
      await simulator.linkCode(OWNER, step.code);
    }
    expect(linked.steps.at(-1)).toMatchObject({ step: 'done', phone: OWNER });
    await linked.connect();
    expect(linked.last).toMatchObject({ status: 'connected', phone: OWNER });
  });

  it('survives a wrong code on the phone', async () => {
    for await (const step of linked.pairing({ method: 'code', phone: OWNER })) {
      if (step.step !== 'show_code') continue;
      const wrong = step.code.startsWith('A') ? `B${step.code.slice(1)}` : `A${step.code.slice(1)}`;
      await expect(simulator.linkCode(OWNER, wrong)).rejects.toThrow(/Wrong code/);
      await simulator.linkCode(OWNER, step.code);
    }
    expect(linked.steps.at(-1)).toMatchObject({ step: 'done', phone: OWNER });
  });

  it('goes on silently with new codes when WhatsApp’s six have run out', async () => {
    linked = new Linked(simulator, { qrMs: 15 });
    expect(await linked.pair(simulator, OWNER, 8)).toMatchObject({ step: 'done', phone: OWNER });
    const shown = linked.steps.flatMap(step => (step.step === 'show_qr' ? [step.qr] : []));
    expect(shown.length).toBeGreaterThanOrEqual(8);
    expect(new Set(shown).size).toBe(shown.length);
  });

  it('shows the same code again on a new socket', async () => {
    linked = new Linked(simulator, { qrMs: 150 });
    const codes: string[] = [];
    for await (const step of linked.pairing({ method: 'code', phone: OWNER })) {
      if (step.step !== 'show_code') continue;
      codes.push(step.code);
      if (codes.length === 2) await simulator.linkCode(OWNER, step.code);
    }
    expect(codes[1]).toBe(codes[0]);
    expect(linked.steps.at(-1)).toMatchObject({ step: 'done', phone: OWNER });
  });

  it('answers no phone once the right to write has ended', async () => {
    for await (const step of linked.pairing({ method: 'qr' })) {
      if (step.step !== 'show_qr') continue;
      linked.mayWrite = false;
      simulator.scan(OWNER, step.qr);
    }
    expect(linked.steps.map(({ step }) => step)).not.toContain('done');
    expect(simulator.phones().find(phone => phone.number === OWNER)?.linked).toEqual([]);
  });

  it('ends without a word when it is aborted, and leaves nothing stored', async () => {
    const abort = new AbortController();
    for await (const { step } of linked.pairing({ method: 'qr' }, abort.signal)) {
      if (step === 'show_qr') abort.abort();
    }
    expect(linked.steps.map(({ step }) => step)).toEqual(['show_qr']);
    expect(linked.store.credentials).toBeUndefined();
    expect(await linked.adapter.linkedAccount(linked.store)).toBeUndefined();
  });

  it('says so when WhatsApp refuses this client', async () => {
    simulator.setFaults({ refuse_login: { reason: 405 } });
    expect(await linked.pair(simulator, OWNER)).toEqual({ step: 'failed', reason: 'client_outdated' });
  });

  it('is not done when the credentials could not be stored', async () => {
    linked.store.refuses = true;
    expect(await linked.pair(simulator, OWNER)).toEqual({ step: 'failed', reason: 'not_stored' });
  });

  it('needs no new code after a restart', async () => {
    await linked.pair(simulator, OWNER);
    await linked.connect();
    await until(() => linked.allGroups.length === 2);
    await linked.connection?.close('release');
    const restarted = new Linked(simulator);
    Object.assign(restarted.store, { credentials: linked.store.credentials, keys: linked.store.keys });
    await restarted.connect();
    expect(restarted.last).toMatchObject({ status: 'connected', phone: OWNER });
    await restarted.connection?.close('release');
  });
});
