import {
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  type SignalDataSet,
  type SignalRepositoryWithLIDStore,
  type SocketConfig,
} from 'baileys';
import type { RawInbound } from '../contract.ts';
import type { BoundedCache } from './bounded-cache.ts';
import { noteEncryption } from './footprint.ts';
import { isLid } from './ids.ts';
import { RatchetPage } from './ratchet-page.ts';
import { type Auth, OPENED, StoreFault } from './store.ts';

/** What came in which stanza: asked by the bytes of the ciphertext, which Baileys hands on as they are. */
export type Opening = {
  /** The message to store with the ratchet that opened it; undefined for what is no message of a person. */
  opened(ciphertext: Uint8Array, plain: Uint8Array, author: string): Promise<RawInbound | undefined>;
  /** It is stored by now. */
  kept(message: RawInbound): void;
  /** Its plaintext when this message was opened before. */
  openedBefore(ciphertext: Uint8Array, author: string): Promise<Uint8Array | undefined>;
  /** It cannot be opened. Resolves once that is on record. */
  failed(ciphertext: Uint8Array, author: string): Promise<void>;
  /** Our store failed, and not the ciphertext: the message must not be confirmed, so that it comes again. */
  unstored(): void;
};

/** Does one step of the ratchet named by `lock` and stores it before the result is used. */
type Step = <T>(
  lock: string,
  work: (repository: SignalRepositoryWithLIDStore, page: RatchetPage) => Promise<T>,
) => Promise<T>;

type Canonical = (jid: string) => Promise<string>;

/**
 * Signal over our own store. The stock wiring locks a send by our own id and an inbound message by the peer's,
 * and nested calls skip the inner lock, so that overlapping ones lose ratchet steps; it also stores a step only
 * after its bytes are on the wire. Here each step holds its peer's turn, is stored before its bytes are used,
 * and a peer has one address: its LID.
 */
export function signalRepositoryOver(
  auth: Auth,
  opening: Opening,
  addresses: BoundedCache,
): SocketConfig['makeSignalRepository'] {
  return (socketAuth, logger, fetchLids) => {
    const { creds } = socketAuth;
    const make = DEFAULT_CONNECTION_CONFIG.makeSignalRepository;
    const passThrough = { ...auth.keys, isInTransaction: () => false, transaction: inPlace };
    const common = make({ creds, keys: passThrough }, logger, fetchLids);
    // Baileys keeps every address that it has ever met here, each with a timer of its own.
    Object.assign(common.lidMapping, { mappingCache: addresses });
    const canonical: Canonical = async jid =>
      isLid(jid) ? jid : ((await common.lidMapping.getLIDForPN(jid)) ?? jid);
    const step: Step = (lock, work) =>
      auth.turns.run(lock, async () => {
        const page = new RatchetPage(auth.keys);
        const repository = make({ creds, keys: page }, logger, async () => []);
        const result = await work(repository, page);
        await page.commit();
        return result;
      });
    return {
      ...common,
      ...sealing(step, canonical),
      ...unsealing(step, canonical, opening),
    };
  };
}

function inPlace<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

type Sealing = Pick<
  SignalRepositoryWithLIDStore,
  | 'encryptMessage'
  | 'encryptGroupMessage'
  | 'getSenderKeyDistributionMessage'
  | 'injectE2ESession'
  | 'deleteSession'
>;

function sealing(step: Step, canonical: Canonical): Sealing {
  return {
    async encryptMessage(asked) {
      const jid = await canonical(asked.jid);
      noteEncryption();
      return step(jid, repository => repository.encryptMessage({ ...asked, jid }));
    },
    async encryptGroupMessage(asked) {
      noteEncryption();
      return step(asked.group, repository => repository.encryptGroupMessage(asked));
    },
    getSenderKeyDistributionMessage: asked =>
      step(asked.group, repository => repository.getSenderKeyDistributionMessage(asked)),
    async injectE2ESession(asked) {
      const jid = await canonical(asked.jid);
      await step(jid, repository => repository.injectE2ESession({ ...asked, jid }));
    },
    async deleteSession(jids) {
      const addresses = await Promise.all(jids.map(canonical));
      await Promise.all(addresses.map(jid => step(jid, repository => repository.deleteSession([jid]))));
    },
  };
}

type Unsealing = Pick<
  SignalRepositoryWithLIDStore,
  'decryptMessage' | 'decryptGroupMessage' | 'processSenderKeyDistributionMessage'
>;

function unsealing(step: Step, canonical: Canonical, opening: Opening): Unsealing {
  const open = async (
    lock: string,
    author: string,
    ciphertext: Uint8Array,
    decrypt: (repository: SignalRepositoryWithLIDStore) => Promise<Uint8Array>,
  ) => {
    const notes: RatchetPage[] = [];
    try {
      const { plain, message } = await step(lock, async (repository, page) => {
        notes.push(page);
        const plain = await decrypt(repository);
        const message = await opening.opened(ciphertext, plain, author);
        if (message) await page.set(openedWith(message));
        return { plain, message };
      });
      if (message) opening.kept(message);
      return plain;
    } catch (error) {
      // libsignal puts errors of the store into its own words.
      for (const page of notes) if (page.fault) throw page.fault;
      if (error instanceof StoreFault) throw error;
      const before = await opening.openedBefore(ciphertext, author);
      if (before) return before;
      await opening.failed(ciphertext, author);
      throw error;
    }
  };
  /** Baileys takes every error for a message that cannot be read, and confirms it. */
  const watched = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreFault) opening.unstored();
      throw error;
    }
  };
  return {
    decryptMessage: asked =>
      watched(async () => {
        const jid = await canonical(asked.jid);
        return open(jid, jid, asked.ciphertext, repository => repository.decryptMessage({ ...asked, jid }));
      }),
    decryptGroupMessage: asked =>
      watched(async () => {
        const authorJid = await canonical(asked.authorJid);
        return open(asked.group, authorJid, asked.msg, repository =>
          repository.decryptGroupMessage({ ...asked, authorJid }),
        );
      }),
    processSenderKeyDistributionMessage: asked =>
      watched(async () => {
        const authorJid = await canonical(asked.authorJid);
        await step(asked.item.groupId ?? authorJid, repository =>
          repository.processSenderKeyDistributionMessage({ ...asked, authorJid }),
        );
      }),
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
