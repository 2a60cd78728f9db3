import { describe, expect, it } from 'vitest';
import { DEMO, type WhatsAppSimulator } from '../../../sim/whatsapp/index.ts';
import type { TestKernel } from '../../../test/harness/database.ts';
import {
  BEN,
  CHLOE,
  type DrivingNode,
  factsOf,
  OWNER,
  onDrivenGround,
  simulatorRefuses,
  stored,
} from '../../../test/harness/driven-ground.ts';
import { until } from '../../../test/harness/until.ts';
import { hear, optedOutAmong, readWord } from '../../contacts/index.ts';
import { inWorkspace, type Scope } from '../../kernel/index.ts';
import { getPairing } from '../queries.ts';
import { cancelPairing, remove, startPairing, unpair } from '../service.ts';

let kernel: TestKernel;
let node: DrivingNode;
let scope: Scope;
let simulator: WhatsAppSimulator;

const { becomes, channel, devices, groups, newChannel, pair, pairAgain, qrOf, sendTo, subjects } =
  onDrivenGround(ground => {
    ({ kernel, node, scope, simulator } = ground);
  });

describe('the driver of channels', () => {
  it('pairs by QR code: steps live, number shown, groups there, ready to send', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' });
    const qr = await qrOf(id);
    expect(await getPairing(scope, id)).toMatchObject({ step: 'show_qr', method: 'qr', qr });
    expect(await channel(id)).toMatchObject({ status: 'pairing' });
    simulator.scan(OWNER, qr);
    await becomes(id, 'connected');
    expect(await getPairing(scope, id)).toMatchObject({ step: 'done', phone: OWNER });
    expect(await getPairing(scope, id)).not.toHaveProperty('qr');
    expect(await channel(id)).toMatchObject({
      phone: OWNER,
      profile_name: 'Olivia Owner',
      status_reason: null,
    });
    await until(async () => (await groups(id)).length === 2);
    expect(await subjects(id)).toEqual(['Class 3A', 'Class 3B']);
    expect(node.channels.driven().map(({ channelId }) => channelId)).toEqual([id]);
    expect(await sendTo(id, BEN, 'Hello')).toMatchObject({ outcome: 'accepted' });
    await until(() => node.receipts.length > 0);
    expect(node.receipts).toMatchObject([{ kind: 'delivered', recipient: BEN }]);
    expect(simulator.ledger()).toMatchObject([{ text: 'Hello', to: BEN, copies: 1 }]);
  });

  it('keeps a message back when only the send reveals that its recipient has opted out', async () => {
    const id = await pair(OWNER);
    const dora = '+15550000009';
    simulator.addPhone(dora, 'Dora');
    simulator.setFaults({ number: OWNER, hide_numbers: true });
    simulator.send(dora, OWNER, 'stop');
    const [message] = await until(() => node.inbound.length > 0 && node.inbound);
    const [from] = message?.kind === 'text' ? message.sender : [];
    const word = readWord('stop');
    if (!from || !word) throw new Error('Dora has no name.');
    expect(from.kind).toBe('whatsapp_lid');
    await inWorkspace(scope, tx =>
      hear(tx, scope, { word, channelId: id, key: 'stop', from: [from], at: new Date() }),
    );
    const unwanted = ['one', 'two', 'three'].map(body => sendTo(id, dora, body));
    const refused = { outcome: 'refused', code: 'opted_out' };
    expect(await Promise.all(unwanted)).toMatchObject([refused, refused, refused]);
    expect(simulator.ledger()).toEqual([]);
    expect(await sendTo(id, dora, 'as you wished', { answersOptOut: true })).toMatchObject({
      outcome: 'accepted',
    });
    const recipient = { workspaceId: scope.workspaceId, phone: dora };
    const found = await inWorkspace(scope, tx => optedOutAmong(tx, [recipient]));
    expect([...found]).toEqual([recipient]);
  });

  it('pairs by code', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'code', phone: OWNER });
    const code = await until(async () => (await getPairing(scope, id)).code);
    expect(code).toMatch(/^[0-9A-Z]{8}$/);
    await simulator.linkCode(OWNER, code);
    await becomes(id, 'connected');
    expect(await getPairing(scope, id)).toMatchObject({ step: 'done', phone: OWNER });
  });

  it('stores what comes in once, encrypted, and hands it on', async () => {
    const id = await pair(OWNER);
    simulator.setFaults({ number: OWNER, duplicate: 1 });
    simulator.send(BEN, OWNER, 'A private word');
    simulator.send(CHLOE, DEMO.class3A, 'A word to all');
    await until(() => node.inbound.length >= 2);
    expect(node.inbound.map(one => (one.kind === 'text' ? one.text : one.kind)).sort()).toEqual([
      'A private word',
      'A word to all',
    ]);
    const rows = await inWorkspace(scope, tx =>
      tx.selectFrom('intake').selectAll().where('channel_id', '=', id).execute(),
    );
    expect(rows).toHaveLength(2);
    expect(rows.map(row => row.ciphertext.toString('latin1')).join()).not.toContain('word');
  });

  it('halts the channel when the time is over, and a new pairing is not touched by the old end', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' }, 400);
    await becomes(id, 'unpaired');
    expect(await channel(id)).toMatchObject({ status_reason: 'pairing_timed_out', phone: null });
    const old = await getPairing(scope, id);
    expect(old).toMatchObject({ step: 'failed', reason: 'timed_out' });
    expect(old.detail).toMatch(/five minutes/);

    await startPairing(scope, id, { method: 'qr' }, 60_000);
    const fresh = await getPairing(scope, id);
    expect(fresh.id).not.toBe(old.id);
    simulator.scan(OWNER, await qrOf(id));
    await becomes(id, 'connected');
    expect(await getPairing(scope, id)).toMatchObject({ id: fresh.id, step: 'done' });
  });

  it('leaves a pairing for a new one: the code of the old one is dead, its time-out says nothing', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' }, 700);
    const oldCode = await qrOf(id);
    await startPairing(scope, id, { method: 'code', phone: OWNER }, 60_000);
    await startPairing(scope, id, { method: 'qr' }, 60_000);
    const code = await until(async () => {
      const { qr } = await getPairing(scope, id);
      return qr !== oldCode && qr;
    });
    expect(simulatorRefuses(() => simulator.scan(OWNER, oldCode))).toBe(true);
    await new Promise(resolve => setTimeout(resolve, 900));
    expect(await getPairing(scope, id)).toMatchObject({ step: 'show_qr' });
    simulator.scan(OWNER, code);
    await becomes(id, 'connected');
  });

  it('cancels: the code is dead at once and nothing is stored', async () => {
    const id = await newChannel();
    await startPairing(scope, id, { method: 'qr' });
    const qr = await qrOf(id);
    await cancelPairing(scope, id);
    expect(await getPairing(scope, id)).toMatchObject({ step: 'cancelled' });
    expect(await channel(id)).toMatchObject({ status: 'unpaired' });
    await until(() => simulatorRefuses(() => simulator.scan(OWNER, qr)));
    await until(async () => (await stored(scope, id)).credentials === 0 && devices(OWNER).length === 0);
    expect(await stored(scope, id)).toEqual({ credentials: 0, keys: 0 });
  });

  it('refuses a number that another channel has, which keeps working; the new device is logged out', async () => {
    const first = await pair(OWNER, 'First');
    const second = await newChannel('Second');
    await startPairing(scope, second, { method: 'qr' });
    simulator.scan(OWNER, await qrOf(second));
    await becomes(second, 'unpaired');
    const pairing = await getPairing(scope, second);
    expect(pairing).toMatchObject({ step: 'failed', reason: 'number_already_linked' });
    expect(pairing.detail).toContain('"First"');
    expect(await channel(second)).toMatchObject({ status_reason: 'number_already_linked', phone: null });
    expect(devices(OWNER)).toHaveLength(1);
    expect(await stored(scope, second)).toEqual({ credentials: 0, keys: 0 });
    expect(await channel(first)).toMatchObject({ status: 'connected', phone: OWNER });
    expect(await sendTo(first, BEN, 'still here')).toMatchObject({ outcome: 'accepted' });
  });

  it('unpairs and pairs again: logged out at WhatsApp, groups archived and back under the same ids', async () => {
    const id = await pair(OWNER);
    await until(async () => (await groups(id)).length === 2);
    const before = (await groups(id)).map(group => group.id).sort();
    await unpair(scope, id);
    await until(() => devices(OWNER).length === 0);
    await until(async () => (await stored(scope, id)).keys === 0);
    expect(await groups(id)).toEqual([]);
    expect(await groups(id, 'include')).toHaveLength(2);
    expect(await channel(id)).toMatchObject({ status: 'unpaired', status_reason: 'unpaired', phone: null });
    expect(node.channels.driven()).toEqual([]);

    await pairAgain(id, OWNER);
    await until(async () => (await groups(id)).length === 2);
    expect((await groups(id)).map(group => group.id).sort()).toEqual(before);
  });

  it('removes a channel: logged out, keys erased, its number free for another channel', async () => {
    const id = await pair(OWNER);
    await remove(scope, id);
    await expect(channel(id)).rejects.toMatchObject({ code: 'not_found' });
    await until(() => devices(OWNER).length === 0);
    await until(async () => (await stored(scope, id)).keys === 0);
    const next = await pair(OWNER, 'Next');
    expect(await channel(next)).toMatchObject({ phone: OWNER });
  });

  it('halts a channel that was unlinked on the phone', async () => {
    const id = await pair(OWNER);
    simulator.unlink(OWNER);
    await becomes(id, 'unpaired');
    expect(await channel(id)).toMatchObject({ status_reason: 'logged_out', phone: null });
    expect(await stored(scope, id)).toEqual({ credentials: 0, keys: 0 });
    expect(await groups(id)).toEqual([]);
  });

  it.each([
    [403, 'forbidden', false],
    [405, 'client_outdated', true],
  ] as const)(
    'halts a channel that WhatsApp refuses with %i, with its link kept',
    async (reason, code, retries) => {
      const id = await pair(OWNER);
      simulator.setFaults({ refuse_login: { reason } });
      simulator.setFaults({ cut: true });
      await becomes(id, 'failed');
      const parked = await channel(id);
      expect(parked).toMatchObject({ status_reason: code, phone: OWNER });
      expect(parked.status_until !== null).toBe(retries);
      expect((await stored(scope, id)).credentials).toBe(1);
      simulator.setFaults({ clear: true });
      await startPairing(scope, id, { method: 'qr' });
      simulator.scan(OWNER, await qrOf(id));
      await becomes(id, 'connected');
    },
  );

  it('follows groups as they change', async () => {
    const id = await pair(OWNER);
    await until(async () => (await groups(id)).length === 2);
    simulator.renameGroup(DEMO.class3A, 'Class 4A', OWNER);
    await until(async () => (await subjects(id)).includes('Class 4A'));
    simulator.createGroup('Choir', [CHLOE, OWNER]);
    await until(async () => (await subjects(id)).includes('Choir'));
    simulator.removeMember(DEMO.class3B, OWNER, OWNER);
    await until(async () => !(await subjects(id)).includes('Class 3B'));
    const gone = (await groups(id, 'include')).find(({ subject }) => subject === 'Class 3B');
    expect(gone?.archived_at).not.toBeNull();
    expect(await subjects(id)).toEqual(['Choir', 'Class 4A']);
    const facts = await factsOf(scope);
    expect(facts.filter(type => type.startsWith('group.')).sort()).toEqual([
      'group.added',
      'group.added',
      'group.added',
      'group.archived',
      'group.renamed',
    ]);
  });

  it('asks for all groups again when told to', async () => {
    const id = await pair(OWNER);
    await until(async () => (await groups(id)).length === 2);
    await inWorkspace(scope, tx =>
      tx.updateTable('groups').set({ subject: 'stale' }).where('channel_id', '=', id).execute(),
    );
    kernel.wake.publish('groups', id);
    await until(async () => (await subjects(id)).includes('Class 3A'));
    expect(await subjects(id)).toEqual(['Class 3A', 'Class 3B']);
  });
});
