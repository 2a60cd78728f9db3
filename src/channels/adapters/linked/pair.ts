import { randomBytes } from 'node:crypto';
import { type BaileysEventMap, bytesToCrockford } from 'baileys';
import { pause } from '../../pause.ts';
import type { CredentialStore, PairingRequest, PairingStep } from '../contract.ts';
import type { LinkedSetup } from './connect.ts';
import { type Ending, verdictOn } from './errors.ts';
import { accountOf } from './ids.ts';
import { libraryLog } from './library-log.ts';
import type { Opening } from './signal.ts';
import { type OpenSocket, openSocket } from './socket.ts';
import { type Auth, freshAuth } from './store.ts';

/** What one socket tells during a pairing: something to show, the phone's agreement, or its end. */
type Word = { qr: string } | { agreed: true } | { ending: Ending };

/** How long a pairing may go on, and whether it may write just now. */
type Leave = { signal: AbortSignal; canWrite: () => boolean };

const WAIT_MS = 1_000;
const KEEP_ALIVE_MS = 30_000;

/**
 * Links a number. WhatsApp hands out six QR codes per socket (160 s), so sockets are opened anew, silently and
 * with the same keys, until a phone agrees or the signal aborts. Credentials are stored only once it has agreed.
 */
export async function* pairSteps(
  request: PairingRequest,
  store: CredentialStore,
  leave: Leave,
  setup: LinkedSetup,
): AsyncGenerator<PairingStep, void> {
  await store.clear();
  const auth = pairingAuth(store);
  try {
    yield* pairWith(auth, request, leave, setup);
  } finally {
    await auth.shut();
  }
}

async function* pairWith(
  auth: Auth,
  request: PairingRequest,
  leave: Leave,
  setup: LinkedSetup,
): AsyncGenerator<PairingStep, void> {
  const { signal, canWrite } = leave;
  const code = request.method === 'code' ? bytesToCrockford(randomBytes(5)) : undefined;
  while (!signal.aborted && canWrite()) {
    const round = new Round(auth, setup, leave);
    const ending = yield* showCodes(round, request, code);
    if (signal.aborted || !canWrite()) return;
    if (round.agreed) {
      yield await conclude(auth);
      return;
    }
    const verdict = ending && verdictOn(ending, false);
    if (verdict?.action === 'end') {
      const reason = verdict.reason === 'client_outdated' ? verdict.reason : 'refused';
      yield { step: 'failed', reason };
      return;
    }
    // A number that was only named on show would make the next socket log in instead of registering.
    Object.assign(auth.creds, { me: undefined, registered: false });
    if (ending?.code !== 408) await pause(WAIT_MS * (setup.patience ?? 1), signal);
  }
}

async function* showCodes(
  round: Round,
  request: PairingRequest,
  code: string | undefined,
): AsyncGenerator<PairingStep, Ending | undefined> {
  let shown = false;
  for await (const word of round.words()) {
    if ('ending' in word) return word.ending;
    if ('agreed' in word) yield { step: 'connecting' };
    else if (request.method === 'qr') yield { step: 'show_qr', qr: word.qr };
    else if (code !== undefined && !shown && (await round.askCode(request.phone, code))) {
      shown = true;
      yield { step: 'show_code', code };
    }
  }
  return undefined;
}

/** The phone has agreed: nothing goes on before the credentials are stored. */
async function conclude(auth: Auth): Promise<PairingStep> {
  try {
    await auth.settled();
  } catch {
    return { step: 'failed', reason: 'not_stored' };
  }
  const account = accountOf(auth.creds.me);
  return account ? { step: 'done', ...account } : { step: 'failed', reason: 'refused' };
}

/** No messages come while a number is being linked. */
const NOTHING_OPENS: Opening = {
  opened: async () => undefined,
  openedBefore: async () => undefined,
  kept: () => undefined,
  failed: async () => undefined,
  unstored: () => undefined,
};

/** One socket of a pairing and what it says, in order. */
class Round {
  agreed = false;
  readonly #socket: OpenSocket;
  readonly #said: Word[] = [];
  #wake: () => void = () => undefined;

  constructor(auth: Auth, setup: LinkedSetup, { signal, canWrite }: Leave) {
    this.#socket = openSocket({
      url: setup.url,
      logger: libraryLog(setup.log),
      auth,
      canWrite: () => !signal.aborted && canWrite(),
      opening: NOTHING_OPENS,
      getMessage: async () => undefined,
      cachedGroupMetadata: async () => undefined,
      keepAliveMs: KEEP_ALIVE_MS,
      qrMs: setup.qrMs,
    });
    this.#socket.sock.ev.on('connection.update', update => this.#hear(update));
    const stop = () => this.#socket.terminate();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void this.#socket.ended.then(ending => {
      signal.removeEventListener('abort', stop);
      this.#say({ ending });
    });
  }

  async *words(): AsyncGenerator<Word, void> {
    while (true) {
      const word = this.#said.shift();
      if (word === undefined) {
        await this.#nextWord();
        continue;
      }
      yield word;
      if ('ending' in word) return;
    }
  }

  /** Announces our code for this number; false when the socket has gone meanwhile. */
  async askCode(phone: string, code: string): Promise<boolean> {
    try {
      await this.#socket.sock.requestPairingCode(phone.slice(1), code);
      return true;
    } catch {
      return false;
    }
  }

  #hear({ qr, isNewLogin }: BaileysEventMap['connection.update']): void {
    if (qr) this.#say({ qr });
    if (!isNewLogin) return;
    this.agreed = true;
    this.#say({ agreed: true });
  }

  #nextWord(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  #say(word: Word): void {
    this.#said.push(word);
    this.#wake();
  }
}

/** Credentials that are not stored while they are only an offer. */
function pairingAuth(store: CredentialStore): Auth {
  const auth = freshAuth(store);
  return {
    ...auth,
    save: () => {
      if (auth.creds.account && accountOf(auth.creds.me)) auth.save();
    },
  };
}
