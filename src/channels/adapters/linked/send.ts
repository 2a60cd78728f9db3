import type { BinaryNode, WASocket } from 'baileys';
import { OPTED_OUT } from '../../../contacts/index.ts';
import type { LateAnswer, SendOutcome, Sink, Wire } from '../contract.ts';
import { BoundedCache, type Caches } from './bounded-cache.ts';
import { decodeMessage } from './convert.ts';
import { outcomeOfNack, queryErrorCode } from './errors.ts';
import { follow, mayBeSent, newFootprint } from './footprint.ts';
import { type GroupBook, othersIn } from './groups.ts';
import {
  identitiesOf,
  isGroup,
  isLid,
  isNamedByUs,
  isSelf,
  ownAddress,
  personAddress,
  phoneOf,
  userOf,
} from './ids.ts';

type Waiting = {
  recipients: number;
  settle: (outcome: SendOutcome) => void;
  /** Baileys is done with it; before that its footprint decides what the end of the socket means for it. */
  isOut: boolean;
};

/** The connection as its sends see it. */
export type SendSource = {
  /** Undefined while there is none that may send. */
  socket(): WASocket | undefined;
  canWrite(): boolean;
  addressing: Sink['addressing'];
  /** WhatsApp let us know that this number may not start new chats. */
  restricted(): void;
  /** A send has hung for longer than anything in it may take. */
  stuck(): void;
};

/** Also called "missing privacy token": restricted numbers get it for people that they never wrote with. */
const RESTRICTED = '463';
const LOST = 'connection_lost';
const SOON_MS = 2_000;
const RATE_LIMIT_MS = 60_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Answers that were given up and may still come. */
const GIVEN_UP = 1_000;
/** Longer than the look-ups and store calls of one send together. */
const STUCK_MS = 120_000;

/**
 * Sends for one connection. One message at a time goes through encryption, as Baileys locks it anyway; their
 * acks are awaited side by side. Only the server's ack makes a message accepted. Nothing waits for a socket that is
 * over: Baileys leaves what it has asked there unanswered for half a minute.
 */
export class Outgoing {
  readonly #source: SendSource;
  readonly #groups: GroupBook;
  readonly #late: (answers: LateAnswer[]) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #givenUp = new BoundedCache(GIVEN_UP, DAY_MS);
  readonly #onWhatsApp = new BoundedCache(5_000, DAY_MS);
  readonly caches: Caches = { given_up: this.#givenUp, on_whatsapp: this.#onWhatsApp };
  #turn: Promise<unknown> = Promise.resolve();
  /** Aborted when the socket ends on which a message is being handed over. */
  #handing = new AbortController();

  constructor(source: SendSource, groups: GroupBook, late: (answers: LateAnswer[]) => void) {
    this.#source = source;
    this.#groups = groups;
    this.#late = late;
  }

  /** See `Connection.send`. Never throws. */
  async send(wire: Wire, deadline: Date): Promise<SendOutcome> {
    const handed = this.#turn.then(() => this.#handOver(wire, deadline));
    this.#turn = handed.catch(() => undefined);
    try {
      return await (await handed).answer;
    } catch (error) {
      return { outcome: 'unknown', cause: error instanceof Error ? error.message : 'unexpected_error' };
    }
  }

  /**
   * Takes every ack of a message: the answer to a send, or a late word on one that was given up, sent on an earlier
   * connection or before a restart.
   */
  acknowledged(node: BinaryNode): void {
    const { id, error } = node.attrs;
    if (node.tag !== 'ack' || node.attrs.class !== 'message' || !id) return;
    const waiting = this.#waiting.get(id);
    const recipients = waiting?.recipients ?? this.#givenUp.get<number>(id);
    if (recipients === undefined && !isNamedByUs(id)) return;
    if (error === RESTRICTED) this.#source.restricted();
    const now = new Date();
    const outcome: SendOutcome =
      error === undefined
        ? {
            outcome: 'accepted',
            at: now,
            providerId: id,
            ...(recipients === undefined ? {} : { recipients }),
          }
        : outcomeOfNack(error, now);
    if (waiting) {
      waiting.settle(outcome);
      return;
    }
    this.#givenUp.del(id);
    this.#late([{ providerId: id, outcome }]);
  }

  /** The socket is over: nobody waits for an answer that it may still get on another one. */
  disconnected(): void {
    this.#handing.abort(new Error(LOST));
    for (const [id, { recipients, settle, isOut }] of [...this.#waiting]) {
      if (!isOut) continue;
      this.#givenUp.set(id, recipients);
      settle({ outcome: 'unknown', cause: LOST });
    }
  }

  async #handOver(wire: Wire, deadline: Date): Promise<{ answer: Promise<SendOutcome> }> {
    const sock = this.#source.socket();
    if (!sock || !this.#source.canWrite()) return now(later('not_connected', SOON_MS));
    if (deadline.getTime() <= Date.now()) return now(later('too_slow', SOON_MS));
    this.#handing = new AbortController();
    const { signal } = this.#handing;
    const prepared = await orAborted(this.#prepare(sock, wire), signal).catch(error => notAsked(error));
    if ('outcome' in prepared) return now(prepared);
    if (deadline.getTime() <= Date.now()) return now(later('too_slow', SOON_MS));
    const { answer, waiting } = this.#await(wire.providerId, prepared.recipients, deadline);
    const footprint = newFootprint();
    try {
      signal.throwIfAborted();
      const message = decodeMessage(wire.payload);
      const relay = () => sock.relayMessage(prepared.address, message, { messageId: wire.providerId });
      await this.#inTime(orAborted(follow(footprint, relay), signal));
      signal.throwIfAborted();
      waiting.isOut = true;
    } catch (error) {
      const cause = error instanceof Error ? error.message : 'unexpected_error';
      waiting.settle(mayBeSent(footprint) ? { outcome: 'unknown', cause } : later('not_sent', SOON_MS));
    }
    return { answer };
  }

  async #prepare(
    sock: WASocket,
    { to, answersOptOut }: Wire,
  ): Promise<{ address: string; recipients: number } | SendOutcome> {
    if (isGroup(to)) return this.#prepareGroup(sock, to);
    const address = await this.#registered(sock, to);
    if (address === undefined) {
      return {
        outcome: 'refused',
        code: 'recipient_not_on_whatsapp',
        detail: 'This number is not on WhatsApp. Check the number, or reach the person another way.',
      };
    }
    // Without this, a failed look-up of devices would end as an empty message that the server takes.
    if (!(await hasDevices(sock, address))) return later('devices_unknown', SOON_MS);
    const isUnwanted = await this.#isUnwanted(sock, to, address);
    return isUnwanted && !answersOptOut ? UNWANTED : { address, recipients: 1 };
  }

  /**
   * By now WhatsApp has told under which other names it knows the person; STOP may have come under one of them, or
   * since the message was begun.
   */
  async #isUnwanted(sock: WASocket, to: string, address: string): Promise<boolean> {
    const lid = isLid(address) ? address : await sock.signalRepository.lidMapping.getLIDForPN(address);
    const [first, ...others] = identitiesOf([phoneOf(to), phoneOf(address), lid ?? undefined]);
    return first !== undefined && (await this.#source.addressing([first, ...others])) === 'opted_out';
  }

  async #prepareGroup(
    sock: WASocket,
    to: string,
  ): Promise<{ address: string; recipients: number } | SendOutcome> {
    const group = await this.#groups.metadata(to);
    if (!group || !sock.user) return { address: to, recipients: 0 };
    const recipients = othersIn(group, sock.user);
    const members = group.participants.map(({ id }) => id);
    const devices = await sock.getUSyncDevices(members, true, false);
    return devices.length > 0 || recipients === 0
      ? { address: to, recipients }
      : later('devices_unknown', SOON_MS);
  }

  /** Nothing may hold up the sends behind it for good. */
  async #inTime(work: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#source.stuck();
        reject(new Error('stuck'));
      }, STUCK_MS);
    });
    try {
      await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The address under which WhatsApp knows the number, which may differ from the typed one; asked once a day. */
  async #registered(sock: WASocket, to: string): Promise<string | undefined> {
    const known = this.#onWhatsApp.get<{ address: string | undefined }>(to);
    if (known) return known.address;
    const answer = await sock.onWhatsApp(to);
    if (!answer) throw new Error('WhatsApp did not answer whether the number is registered.');
    const found = answer.find(({ exists }) => exists);
    const address = found && personAddress(found.jid);
    this.#onWhatsApp.set(to, { address }, address ? DAY_MS : 10 * MINUTE_MS);
    return address;
  }

  #await(id: string, recipients: number, deadline: Date): { answer: Promise<SendOutcome>; waiting: Waiting } {
    const { promise, resolve } = Promise.withResolvers<SendOutcome>();
    const timer = setTimeout(() => {
      this.#givenUp.set(id, recipients);
      settle({ outcome: 'unknown', cause: 'no_answer' });
    }, deadline.getTime() - Date.now());
    const settle = (outcome: SendOutcome) => {
      clearTimeout(timer);
      if (this.#waiting.get(id) === waiting) this.#waiting.delete(id);
      resolve(outcome);
    };
    const waiting = { recipients, settle, isOut: false };
    this.#waiting.set(id, waiting);
    return { answer: promise, waiting };
  }
}

const UNWANTED: SendOutcome = { outcome: 'refused', code: OPTED_OUT.reason, detail: OPTED_OUT.detail };

/** Asks for the devices of both sides, so that Baileys finds them in its cache. */
async function hasDevices(sock: WASocket, address: string): Promise<boolean> {
  const self = sock.user;
  if (!self) return false;
  const devices = await sock.getUSyncDevices([ownAddress(self), address], true, false);
  const user = userOf(address);
  return devices.some(device => device.user === user) || isSelf(address, self);
}

/** Rejects at the abort, whatever becomes of the work. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

function notAsked(error: unknown): SendOutcome {
  return queryErrorCode(error) === 429 ? later('rate_limited', RATE_LIMIT_MS) : later('not_sent', SOON_MS);
}

function later(code: string, waitMs: number): SendOutcome {
  return { outcome: 'deferred', code, until: new Date(Date.now() + waitMs) };
}

function now(outcome: SendOutcome): { answer: Promise<SendOutcome> } {
  return { answer: Promise.resolve(outcome) };
}
