import type {
  AuthenticationCreds,
  proto as Proto,
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStore,
  SignalRepositoryWithLIDStore,
} from 'baileys';
import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeWAMessage,
  initAuthCreds,
  proto,
  unpadRandomMax16,
} from 'baileys';
import type { KeyBundle } from '../server/prekeys.ts';
import { bytesOf, lidAddress, type Stanza } from '../wire/stanza.ts';
import { noLogger, quietly } from './quiet.ts';

export type Enc = { type: 'pkmsg' | 'msg' | 'skmsg'; ciphertext: Uint8Array };

export type PhoneState = {
  creds: AuthenticationCreds;
  keys: [string, unknown][];
  nextKeyId: number;
  senderKeys: [string, string[]][];
};

const MAX_ONE_TIME_KEYS = 1000;

/**
 * The Signal state of a handset (device 0): Baileys' own repository over memory, addressed by LID only.
 * Work is strictly in turn, as on a real phone, so that no ratchet is stepped twice at once.
 */
export class Phone {
  readonly #lid: string;
  readonly #creds: AuthenticationCreds;
  readonly #keys: SignalKeyStore;
  readonly #repository: SignalRepositoryWithLIDStore;
  readonly #ownKeySentTo = new Map<string, Set<string>>();
  readonly #stored: Map<string, unknown>;
  #nextKeyId: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(digits: string, lid: string, state?: PhoneState) {
    this.#lid = lid;
    this.#creds = state?.creds ?? initAuthCreds();
    this.#stored = new Map(state?.keys);
    this.#nextKeyId = state?.nextKeyId ?? 1;
    for (const [group, devices] of state?.senderKeys ?? []) this.#ownKeySentTo.set(group, new Set(devices));
    this.#creds.me = { id: `${digits}@s.whatsapp.net`, lid: lidAddress(lid) };
    const memory = memoryKeys(this.#stored);
    // Not Baileys' transactions: they follow the async context, and libsignal runs the work of all phones that
    // share a peer in one of their contexts, which loses steps.
    const keys = {
      ...memory,
      isInTransaction: () => false,
      transaction: <T>(work: () => Promise<T>) => work(),
    };
    this.#keys = keys;
    const auth = { creds: this.#creds, keys };
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, noLogger, async () => []);
  }

  /** All that a later run needs to be the same phone. */
  state(): PhoneState {
    return {
      creds: this.#creds,
      keys: [...this.#stored],
      nextKeyId: this.#nextKeyId,
      senderKeys: [...this.#ownKeySentTo].map(([group, devices]) => [group, [...devices]]),
    };
  }

  get identity(): AuthenticationCreds['signedIdentityKey'] {
    return this.#creds.signedIdentityKey;
  }

  /** Runs after all earlier work of this phone. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => quietly(work));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** The same for work that nobody waits for; a failure is the simulator's own and goes to standard error. */
  inBackground(work: () => Promise<void>): void {
    this.inTurn(work).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : 'unknown failure';
      process.stderr.write(`whatsapp simulator: ${reason}\n`);
    });
  }

  /** Resolves when nothing is left to do. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /** A fresh bundle with its own one-time key, as the server hands it out to a new peer. */
  async bundle(): Promise<KeyBundle> {
    const id = this.#nextKeyId++;
    const pair = Curve.generateKeyPair();
    const changes: SignalDataSet = { 'pre-key': { [id]: pair } };
    if (id > MAX_ONE_TIME_KEYS) changes['pre-key'] = { [id]: pair, [id - MAX_ONE_TIME_KEYS]: null };
    await this.#keys.set(changes);
    const signed = this.#creds.signedPreKey;
    return {
      registrationId: this.#creds.registrationId,
      identity: Buffer.from(this.#creds.signedIdentityKey.public),
      signed: {
        id: signed.keyId,
        key: Buffer.from(signed.keyPair.public),
        signature: Buffer.from(signed.signature),
      },
      oneTime: { id, key: Buffer.from(pair.public) },
    };
  }

  /** Decrypts one enc of a stanza and takes in a sender key that it may carry. Throws when it cannot be read. */
  async decrypt(author: string, group: string | undefined, enc: Stanza): Promise<Proto.Message> {
    const padded = await this.#open(author, group, enc);
    const message = proto.Message.decode(unpadRandomMax16(padded));
    const item = message.senderKeyDistributionMessage;
    if (item) await this.#repository.processSenderKeyDistributionMessage({ authorJid: author, item });
    return message;
  }

  async hasPeer(address: string): Promise<boolean> {
    return (await this.#repository.validateSession(address)).exists;
  }

  async meet(address: string, bundle: KeyBundle): Promise<void> {
    await this.#repository.injectE2ESession({ jid: address, session: sessionOf(bundle) });
  }

  async forget(address: string): Promise<void> {
    await this.#repository.deleteSession([address]);
    for (const known of this.#ownKeySentTo.values()) known.delete(address);
  }

  async encrypt(address: string, message: Proto.IMessage): Promise<Enc> {
    return this.#repository.encryptMessage({ jid: address, data: encodeWAMessage(message) });
  }

  /** Encrypts for a group; `keyFor` gives the pairwise message with our sender key to a device that lacks it. */
  async encryptForGroup(group: string, message: Proto.IMessage) {
    const sealed = await this.#repository.encryptGroupMessage({
      group,
      meId: lidAddress(this.#lid),
      data: encodeWAMessage(message),
    });
    const key = { groupId: group, axolotlSenderKeyDistributionMessage: sealed.senderKeyDistributionMessage };
    const enc: Enc = { type: 'skmsg', ciphertext: sealed.ciphertext };
    return { enc, senderKey: { senderKeyDistributionMessage: key } satisfies Proto.IMessage };
  }

  /** True the first time for a device: it then has to get our sender key of that group. */
  firstInGroup(group: string, address: string): boolean {
    const known = this.#ownKeySentTo.get(group) ?? new Set<string>();
    this.#ownKeySentTo.set(group, known);
    if (known.has(address)) return false;
    known.add(address);
    return true;
  }

  close(): void {
    this.#repository.close?.();
  }

  #open(author: string, group: string | undefined, enc: Stanza): Promise<Uint8Array> {
    const bytes = bytesOf(enc);
    const type = enc.attrs.type;
    if (type === 'skmsg' && group) {
      return this.#repository.decryptGroupMessage({ group, authorJid: author, msg: bytes });
    }
    if (type === 'pkmsg' || type === 'msg') {
      return this.#repository.decryptMessage({ jid: author, type, ciphertext: bytes });
    }
    throw new Error(`unknown encryption ${type}`);
  }
}

function sessionOf(bundle: KeyBundle) {
  const { registrationId, signed, oneTime } = bundle;
  const session = {
    registrationId,
    identityKey: signalKey(bundle.identity),
    signedPreKey: { keyId: signed.id, publicKey: signalKey(signed.key), signature: signed.signature },
  };
  return oneTime ? { ...session, preKey: { keyId: oneTime.id, publicKey: signalKey(oneTime.key) } } : session;
}

/** libsignal wants the curve's type byte in front. */
function signalKey(raw: Buffer): Buffer {
  return raw.length === 33 ? raw : Buffer.concat([Buffer.from([5]), raw]);
}

function memoryKeys(stored: Map<string, unknown>): SignalKeyStore {
  return {
    get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
      const found: Record<string, SignalDataTypeMap[T]> = {};
      for (const id of ids) {
        const value = stored.get(`${type}|${id}`);
        // The key names the type that `set` has stored there.
        if (value !== undefined) found[id] = value as SignalDataTypeMap[T];
      }
      return found;
    },
    set(data) {
      for (const [type, values] of Object.entries(data)) {
        for (const [id, value] of Object.entries(values ?? {})) {
          if (value === null) stored.delete(`${type}|${id}`);
          else stored.set(`${type}|${id}`, value);
        }
      }
    },
  };
}
