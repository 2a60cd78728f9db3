import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Client, until } from './client.fixture.ts';
import { DEMO, startWhatsAppSimulator } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
afterAll(() => rmSync(folder, { recursive: true }));

const OWNER = `+${DEMO.owner}`;
const BEN = `+${DEMO.ben}`;

it('is the same world after a restart: links, keys, groups, chats, backlog and ledger', async () => {
  const stateFile = join(folder, 'world.json');
  const before = await startWhatsAppSimulator({ stateFile });
  const client = new Client(before);
  await client.pair(OWNER);
  await client.required().sendMessage(DEMO.class3A, { text: 'Before' });
  await until(() => before.ledger().length === 2);
  await client.leave();
  before.send(BEN, OWNER, 'While all was dark');
  const { port } = new URL(before.controlUrl);
  await before.close();

  const after = await startWhatsAppSimulator({ stateFile, port: Number(port) });
  expect(after.rootKey).toEqual(before.rootKey);
  expect(await client.connect()).toBe('open');
  await until(() => client.inbox().some(message => message.text === 'While all was dark'));
  await client.required().sendMessage(DEMO.class3A, { text: 'After' });
  await until(() => after.ledger().length === 4);
  expect(after.ledger().map(entry => entry.copies)).toEqual([1, 1, 1, 1]);
  expect(after.phones()[1]?.chats.find(chat => chat.id === DEMO.class3A)?.messages).toHaveLength(2);
  await client.leave();
  await after.close();
});

it('says which file to remove when the state cannot be read', async () => {
  const stateFile = join(folder, 'broken.json');
  writeFileSync(stateFile, '{"version":7}');
  await expect(startWhatsAppSimulator({ stateFile })).rejects.toThrow(
    /broken\.json cannot be used \(unknown version 7\)/,
  );
});
