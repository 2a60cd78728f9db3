import {
  addTransactionCapability,
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  type SignalDataSet,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
  type SocketConfig,
} from 'baileys';
import type { RawInbound } from '../contract.ts';
import { noteEncryption } from './footprint.ts';
import { isLid } from './ids.ts';
import { type Auth, OPENED } from './store.ts';

/** What came in which stanza: asked by the bytes of the ciphertext, which Baileys hands on as they are. */
export type Opening = {
  /** The message to store with the ratchet that opened it; undefined for what is no message of a person. */
  opened(ciphertext: Uint8Array, plain: Uint8Array): RawInbound | undefined;
  /** Its plaintext when this message was opened before. */
  openedBefore(ciphertext: Uint8Array): Promise<Uint8Array | undefined>;
};

export const COMMIT_TRIES = { maxCommitRetries: 3, delayBetweenTriesMs: 100 };

/**
 * Signal over its own transactional store. The stock wiring locks a send by our own id and an inbound message
 * by the peer's, and nested calls skip the inner lock, so that overlapping ones lose ratchet steps; and it
 * commits after the stanza is on the wire. Here each ratchet step locks its peer and is stored before its
 * bytes are used, and a peer has one address: its LID.
 */
export function signalRepositoryOver(auth: Auth, opening: Opening): SocketConfig['makeSignalRepository'] {
  return (socketAuth, logger, fetchLids) => {
    const keys = addTransactionCapability(auth.keys, logger, COMMIT_TRIES);
    const inner = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      { creds: socketAuth.creds, keys },
      logger,
      fetchLids,
    );
    const canonical = async (jid: string) =>
      isLid(jid) ? jid : ((await inner.lidMapping.getLIDForPN(jid)) ?? jid);
    return {
      ...inner,
      ...sealing(inner, canonical),
      ...unsealing(inner, keys, opening, canonical),
      lidMapping: inner.lidMapping,
    };
  };
}

type Canonical = (jid: string) => Promise<string>;

function sealing(
  inner: SignalRepositoryWithLIDStore,
  canonical: Canonical,
): Pick<
  SignalRepositoryWithLIDStore,
  'encryptMessage' | 'encryptGroupMessage' | 'injectE2ESession' | 'deleteSession'
> {
  return {
    async encryptMessage(asked) {
      const jid = await canonical(asked.jid);
      noteEncryption();
      return inner.encryptMessage({ ...asked, jid });
    },
    async encryptGroupMessage(asked) {
      noteEncryption();
      return inner.encryptGroupMessage(asked);
    },
    injectE2ESession: async asked => inner.injectE2ESession({ ...asked, jid: await canonical(asked.jid) }),
    deleteSession: async jids => inner.deleteSession(await Promise.all(jids.map(canonical))),
  };
}

function unsealing(
  inner: SignalRepositoryWithLIDStore,
  keys: SignalKeyStoreWithTransaction,
  opening: Opening,
  canonical: Canonical,
): Pick<
  SignalRepositoryWithLIDStore,
  'decryptMessage' | 'decryptGroupMessage' | 'processSenderKeyDistributionMessage'
> {
  const open = async (lock: string, ciphertext: Uint8Array, decrypt: () => Promise<Uint8Array>) => {
    try {
      return await keys.transaction(async () => {
        const plain = await decrypt();
        const message = opening.opened(ciphertext, plain);
        if (message) await keys.set(openedWith(message));
        return plain;
      }, lock);
    } catch (error) {
      const before = await opening.openedBefore(ciphertext);
      if (before) return before;
      throw error;
    }
  };
  return {
    async decryptMessage(asked) {
      const jid = await canonical(asked.jid);
      return open(jid, asked.ciphertext, () => inner.decryptMessage({ ...asked, jid }));
    },
    async decryptGroupMessage(asked) {
      const authorJid = await canonical(asked.authorJid);
      return open(asked.group, asked.msg, () => inner.decryptGroupMessage({ ...asked, authorJid }));
    },
    async processSenderKeyDistributionMessage(asked) {
      const authorJid = await canonical(asked.authorJid);
      return inner.processSenderKeyDistributionMessage({ ...asked, authorJid });
    },
  };
}

/** Rides in the same commit as the keys; the store tells it apart by its type. */
function openedWith(message: RawInbound): SignalDataSet {
  return { [OPENED]: { [message.key]: message } } as unknown as SignalDataSet;
}

/** The ciphertexts of a message stanza. */
export function ciphertextsOf(node: BinaryNode): Uint8Array[] {
  if (!Array.isArray(node.content)) return [];
  return node.content.flatMap(({ tag, content }) =>
    tag === 'enc' && content instanceof Uint8Array ? [content] : [],
  );
}
