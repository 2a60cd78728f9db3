import {
  type AuthenticationCreds,
  BufferJSON,
  initAuthCreds,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
} from 'baileys';
import type { CredentialStore, KeyChange, RawInbound } from '../contract.ts';
import type { Caches } from './bounded-cache.ts';
import { inTime, KeyWriter } from './key-writer.ts';
import { KnownKeys } from './known-keys.ts';
import { ofStore } from './requests.ts';
import { Turns } from './turns.ts';

/** Not a key of Signal: an opened message that is stored with the ratchet that opened it. */
export const OPENED = 'opened-message';

/** The store did not give or take something; what was to be done with it has not happened. */
export class StoreFault extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : 'The store of credentials failed.', { cause });
    this.name = 'StoreFault';
  }
}

/** Baileys' credentials and keys over our store. Reads and writes of keys reject with StoreFault. */
export type Auth = {
  readonly creds: AuthenticationCreds;
  readonly keys: SignalKeyStore;
  /** By ratchet. They outlive a socket: the next one begins while a step of the last may still be under way. */
  readonly turns: Turns;
  /** Stores the whole credentials object as it is now; calls keep their order. */
  save(): void;
  /** Resolves once everything handed over so far is stored; rejects when credentials were refused. */
  settled(): Promise<void>;
  readInbound(key: string): Promise<Uint8Array | undefined>;
  readonly caches: Caches;
  /** From now on nothing is stored; what is under way is waited for, within bounds. Baileys goes on a little after its end. */
  shut(): Promise<void>;
};

/** The stored credentials; undefined when there are none. Rejects when they cannot be read. */
export async function readAuth(store: CredentialStore): Promise<Auth | undefined> {
  const stored = await inTime(store.readCredentials());
  return stored && authOver(store, readCredentials(stored));
}

/** New credentials, of which nothing is stored before the first `save`. */
export function freshAuth(store: CredentialStore): Auth {
  return authOver(store, initAuthCreds());
}

export function readCredentials(stored: Uint8Array): AuthenticationCreds {
  const creds = readJson(stored) as AuthenticationCreds;
  // The account is a protobuf message, whose JSON form has its bytes as text.
  return creds.account
    ? { ...creds, account: proto.ADVSignedDeviceIdentity.fromObject(creds.account) }
    : creds;
}

function authOver(store: CredentialStore, creds: AuthenticationCreds): Auth {
  const writer = new KeyWriter(store);
  const known = new KnownKeys(store);
  let stored: Promise<void> = Promise.resolve();
  let shut = false;
  return {
    creds,
    turns: new Turns(),
    keys: {
      get: (type, ids) =>
        orStoreFault(async () => {
          await writer.certain();
          return readKeys(known, type, ids);
        }),
      set: data =>
        orStoreFault(async () => {
          const { changes, opened } = changesOf(data);
          // Key ids are drawn from the credentials: a key must never be known before they are.
          await inTime(stored.catch(() => undefined));
          if (shut) throw new Error('This connection has ended.');
          known.doubted(changes);
          try {
            await writer.write(changes, opened);
            known.written(changes);
          } catch (error) {
            // What was read beside it may be older than what is stored by now.
            known.doubted(changes);
            throw error;
          }
        }),
    },
    save() {
      if (shut) return;
      const plain = writeJson(creds);
      // Each waits for the one before, however long that takes: older credentials must not come to lie over newer.
      stored = stored.catch(() => undefined).then(() => store.writeCredentials(plain));
      stored.catch(() => undefined);
    },
    async settled() {
      await inTime(stored);
      await writer.settled();
    },
    caches: known.caches,
    readInbound: key => inTime(store.readInbound(key)),
    async shut() {
      shut = true;
      await inTime(stored).catch(() => undefined);
      await writer.settled().catch(() => undefined);
    },
  };
}

async function orStoreFault<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await ofStore(work);
  } catch (error) {
    throw error instanceof StoreFault ? error : new StoreFault(error);
  }
}

async function readKeys<T extends keyof SignalDataTypeMap>(
  known: KnownKeys,
  type: T,
  ids: string[],
): Promise<{ [id: string]: SignalDataTypeMap[T] }> {
  if (ids.length === 0) return {};
  const stored = await known.read(type, ids);
  const found: { [id: string]: SignalDataTypeMap[T] } = {};
  for (const [id, value] of stored) found[id] = readValue(type, value);
  return found;
}

function readValue<T extends keyof SignalDataTypeMap>(type: T, stored: Uint8Array): SignalDataTypeMap[T] {
  const value = readJson(stored);
  return revived(type, value) as SignalDataTypeMap[T];
}

function revived(type: keyof SignalDataTypeMap, value: unknown): unknown {
  if (type === 'app-state-sync-key')
    return proto.Message.AppStateSyncKeyData.fromObject(value as { [key: string]: unknown });
  return type === 'sender-key' ? withSkippedKeys(value as Uint8Array) : value;
}

/**
 * Baileys writes the keys of group messages that were skipped in a form that it cannot read again, so that what
 * comes later than its successor would have to be asked for once more. Here they stand in the form that it reads.
 */
function withSkippedKeys(record: Uint8Array): Uint8Array {
  const text = Buffer.from(record);
  if (!text.includes('"senderMessageKeys":[{')) return record;
  return writeJson(
    JSON.parse(text.toString(), (_, value) => (isPlainBuffer(value) ? Buffer.from(value.data) : value)),
  );
}

function isPlainBuffer(value: unknown): value is { data: number[] } {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: unknown };
  return type === 'Buffer' && Array.isArray(data);
}

function changesOf(data: SignalDataSet): { changes: KeyChange[]; opened: RawInbound[] } {
  const changes: KeyChange[] = [];
  const opened: RawInbound[] = [];
  for (const [type, values] of Object.entries(data)) {
    for (const [id, value] of Object.entries(values ?? {})) {
      if (type === OPENED) opened.push(value as unknown as RawInbound);
      else
        changes.push({
          type,
          id,
          value: value === null || value === undefined ? undefined : writeJson(value),
        });
    }
  }
  return { changes, opened };
}

function writeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value, BufferJSON.replacer));
}

function readJson(stored: Uint8Array): unknown {
  return JSON.parse(Buffer.from(stored).toString(), BufferJSON.reviver);
}
