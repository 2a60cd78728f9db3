import { BufferJSON, type SignalRepositoryWithLIDStore } from 'baileys';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.ts';
import { MemoryStore } from './linked.fixture.ts';
import { type Opening, signalRepositoryOver } from './signal.ts';
import { freshAuth } from './store.ts';

const ASK = { group: '120363@g.us', data: Buffer.from('the same words'), meId: '900000000000001:1@lid' };

const deaf: Opening = {
  opened: async () => undefined,
  kept: () => undefined,
  openedBefore: async () => undefined,
  failed: async () => undefined,
  unstored: () => undefined,
};

/** How far the ratchet of a group has come, as it is stored. */
async function stepsAfter(
  encrypt: (open: () => SignalRepositoryWithLIDStore) => Promise<unknown>,
): Promise<number> {
  const store = new MemoryStore();
  store.latencyMs = 2;
  const auth = freshAuth(store);
  const log = pino({ level: 'silent' });
  await encrypt(() =>
    signalRepositoryOver(
      auth,
      deaf,
      new BoundedCache(10, 1_000),
    )({ creds: auth.creds, keys: auth.keys as never }, log),
  );
  const [stored] = [...store.keys].flatMap(([name, value]) =>
    name.startsWith('sender-key|') ? [value] : [],
  );
  const record = JSON.parse(Buffer.from(stored ?? []).toString(), BufferJSON.reviver) as Uint8Array;
  const [chain] = JSON.parse(Buffer.from(record).toString()) as [{ senderChainKey: { iteration: number } }];
  return chain.senderChainKey.iteration;
}

describe('the ratchets of one number', () => {
  it('take one step at a time also when the sockets of two connections overlap', async () => {
    const inTurn = await stepsAfter(async open => {
      const socket = open();
      await socket.encryptGroupMessage(ASK);
      await socket.encryptGroupMessage(ASK);
    });
    const overlapping = await stepsAfter(open =>
      Promise.all([open(), open()].map(socket => socket.encryptGroupMessage(ASK))),
    );
    expect(overlapping).toBe(inTurn);
  });

  it('read group messages that overtook each other', async () => {
    const [sender, reader] = [phone(), phone()];
    const sealed = [];
    for (const word of ['first', 'second', 'third'])
      sealed.push(await sender.encryptGroupMessage({ ...ASK, data: Buffer.from(word) }));
    await reader.processSenderKeyDistributionMessage({
      authorJid: ASK.meId,
      item: {
        groupId: ASK.group,
        axolotlSenderKeyDistributionMessage: sealed[0]?.senderKeyDistributionMessage,
      } as never,
    });
    const read = [];
    for (const at of [2, 0, 1]) {
      const msg = sealed[at]?.ciphertext ?? Buffer.alloc(0);
      const plain = await reader.decryptGroupMessage({ group: ASK.group, authorJid: ASK.meId, msg });
      read.push(Buffer.from(plain).toString());
    }
    expect(read).toEqual(['third', 'first', 'second']);
  });
});

function phone(): SignalRepositoryWithLIDStore {
  const auth = freshAuth(new MemoryStore());
  const open = signalRepositoryOver(auth, deaf, new BoundedCache(10, 1_000));
  return open({ creds: auth.creds, keys: auth.keys as never }, pino({ level: 'silent' })) as never;
}
