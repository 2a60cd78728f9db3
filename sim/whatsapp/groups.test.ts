import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, until } from './client.fixture.ts';
import { DEMO, startWhatsAppSimulator, type WhatsAppSimulator } from './index.ts';

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;
const CHLOE = `+${DEMO.chloe}`;

describe('groups, while a companion is connected', () => {
  let simulator: WhatsAppSimulator;
  let client: Client;

  beforeAll(async () => {
    simulator = await startWhatsAppSimulator();
    client = new Client(simulator);
    await client.pair(OWNER);
  });
  afterAll(async () => simulator.close());

  it('tell a new name', async () => {
    simulator.renameGroup(DEMO.class3B, 'Class 3B, new');
    await until(() =>
      client
        .seen('groups.update')
        .flat()
        .some(one => one.subject === 'Class 3B, new'),
    );
    expect((await client.required().groupMetadata(DEMO.class3B)).subject).toBe('Class 3B, new');
  });

  it('tell who joins and who leaves, and write to those who are left', async () => {
    simulator.addMember(DEMO.class3B, CHLOE);
    simulator.removeMember(DEMO.class3B, BEN);
    const changes = () => client.seen('group-participants.update');
    await until(() => changes().length === 2);
    expect(changes().map(({ action, participants }) => [action, participants[0]?.phoneNumber])).toEqual([
      ['add', `${DEMO.chloe}@s.whatsapp.net`],
      ['remove', `${DEMO.ben}@s.whatsapp.net`],
    ]);
    await client.required().sendMessage(DEMO.class3B, { text: 'Only Chloe' });
    await until(() => simulator.ledger().length === 1);
    expect(simulator.ledger()[0]).toMatchObject({ to: CHLOE, copies: 1 });
  });

  it('appear when somebody adds the number, and close when it is removed', async () => {
    const { id } = simulator.createGroup('Choir', [BEN, CHLOE]);
    expect(
      client
        .seen('groups.upsert')
        .flat()
        .some(group => group.id === id),
    ).toBe(false);
    simulator.addMember(id, OWNER);
    await until(() =>
      client
        .seen('groups.upsert')
        .flat()
        .some(group => group.subject === 'Choir'),
    );
    simulator.removeMember(id, OWNER, BEN);
    await until(() =>
      client.seen('group-participants.update').some(one => one.id === id && one.action === 'remove'),
    );
    await expect(client.required().groupMetadata(id)).rejects.toThrow();
    expect(Object.keys(await client.required().groupFetchAllParticipating())).not.toContain(id);
  });

  it('can be made, renamed and left by the companion itself', async () => {
    const socket = client.required();
    const made = await socket.groupCreate('Parents', [`${DEMO.ben}@s.whatsapp.net`]);
    expect(simulator.groups().find(group => group.id === made.id)?.members).toHaveLength(2);
    await socket.groupUpdateSubject(made.id, 'All parents');
    expect(simulator.groups().find(group => group.id === made.id)?.subject).toBe('All parents');
    await socket.groupLeave(made.id);
    expect(
      simulator
        .groups()
        .find(group => group.id === made.id)
        ?.members.map(one => one.number),
    ).toEqual([BEN]);
    await socket.sendMessage(made.id, { text: 'Still here?' }).catch(() => undefined);
    expect(simulator.ledger().some(entry => entry.text === 'Still here?')).toBe(false);
  });
});
