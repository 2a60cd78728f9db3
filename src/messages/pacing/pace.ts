import {
  type Channels,
  type Driven,
  type PacingAdvice,
  RESTRICTION,
  restrictionIsOver,
} from '../../channels/index.ts';
import { afterCommit, type Kernel, type Tx } from '../../kernel/index.ts';
import type { Locked } from '../book/index.ts';
import type { Guard, Verdict } from '../guards.ts';
import { type Budget, messagesAtOnce, messagesOpenAt, type Recipient, spend } from './budget.ts';
import { type Limits, limitsOf } from './limits.ts';
import { getToKnow, newAmong, type PaceRow, readPaces, writeBudgets } from './rows.ts';

/** Woken with the id of a channel whose settings have changed. */
export const PACING = 'pacing';

/** What may be begun on a channel now: so many in all, and of which sort. */
export type Offer = { most: number; usual: boolean; newPeople: boolean };

/** As this node last saw it, when it let messages go or held them. Nobody else spends of it. */
type Gate = { budget: Budget; limits: Limits; usualAt: number; newPeopleAt: number };

/** How soon to look again whether the message that tries first after a restriction has arrived. */
const PROBE_LOOK_MS = 5_000;
const LONGEST_TIMER_MS = 3_600_000;
const ANYTHING: Offer = { most: Number.POSITIVE_INFINITY, usual: true, newPeople: true };
/** What the database says is found out with the first message. */
const UNSEEN: Offer = { most: 1, usual: true, newPeople: true };
const ARRIVED = ['accepted', 'sent', 'delivered', 'read'];

/**
 * The pace of the channels of this node. The guard spends of the budgets in the transaction that lets messages enter
 * the wire, so a crash never spends too little. What it saw is kept here, so that nothing is claimed or begun that
 * would only be held again; a timer tells when the next may go.
 */
export class Pace {
  readonly #kernel: Kernel;
  readonly #channels: Channels;
  /** Of the channels that were ever offered something; one that is just cut off must not go unpaced. */
  readonly #advice = new Map<string, PacingAdvice>();
  readonly #gates = new Map<string, Gate>();
  readonly #timers = new Map<string, () => void>();
  readonly #listeners = new Set<() => void>();
  #deaf: (() => void)[] = [];

  constructor(kernel: Kernel, channels: Channels) {
    this.#kernel = kernel;
    this.#channels = channels;
  }

  start(): void {
    const forget = (channelId: string) => this.#forget(channelId);
    this.#deaf = [this.#kernel.wake.on(PACING, forget), this.#kernel.wake.on(RESTRICTION, forget)];
  }

  stop(): void {
    for (const deaf of this.#deaf) deaf();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  isPaced(driven: Driven): boolean {
    return driven.adapter.capabilities.pacing !== undefined;
  }

  /** `aheadMs` = for what is to be ready by then. */
  offer(driven: Driven, aheadMs = 0): Offer {
    const advice = driven.adapter.capabilities.pacing;
    if (!advice) return ANYTHING;
    this.#advice.set(driven.channelId, advice);
    const gate = this.#gates.get(driven.channelId);
    if (!gate) return UNSEEN;
    const now = this.#now() + aheadMs;
    const most = messagesAtOnce(gate.budget, gate.limits, now);
    return { most, usual: most > 0 && gate.usualAt <= now, newPeople: most > 0 && gate.newPeopleAt <= now };
  }

  /** Calls back when more may go on some channel; returns the way to stop. */
  onOpen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly guard: Guard = async (tx, of, at) => {
    const verdicts = new Map<string, Verdict>();
    const paced = of.filter(({ channelId }) => this.#adviceFor(channelId) !== undefined);
    if (paced.length === 0) return verdicts;
    const now = at.getTime();
    const paces = await readPaces(tx, paced, now);
    const strangers = await newAmong(tx, paced.flatMap(personOf));
    const changed: PaceRow[] = [];
    const isNew = new Set([...strangers].map(({ deliveryId }) => deliveryId));
    for (const pace of paces.values()) {
      const here = paced.filter(({ channelId }) => channelId === pace.channelId);
      const sending = here.filter(({ journey }) => journey.status === 'queued');
      // What goes again under its own id was paid for the first time.
      for (const { deliveryId } of here)
        if (isRestricted(pace, now)) verdicts.set(deliveryId, { hold: 'restriction' });
      if (sending.length === 0) continue;
      const { gate, spent } = await this.#decide(tx, pace, sending, isNew, now, verdicts);
      if (spent) changed.push(spent);
      afterCommit(() => this.#keep(pace.channelId, gate));
    }
    await writeBudgets(tx, changed);
    const met = paced.filter(({ deliveryId }) => isNew.has(deliveryId) && !verdicts.has(deliveryId));
    await getToKnow(tx, met.flatMap(personOf));
    return verdicts;
  };

  async #decide(
    tx: Tx,
    pace: PaceRow,
    sending: Locked[],
    isNew: Set<string>,
    now: number,
    verdicts: Map<string, Verdict>,
  ): Promise<{ gate: Gate; spent: PaceRow | undefined }> {
    const advice = this.#adviceFor(pace.channelId);
    if (!advice) throw new Error('The adapter of this channel does not pace it any more.');
    const limits = limitsOf(advice, pace.settings);
    const gate: Gate = { budget: pace.budget, limits, usualAt: 0, newPeopleAt: 0 };
    const all = await this.#underRestriction(tx, pace, sending, now, gate);
    for (const one of sending) if (!all.includes(one)) verdicts.set(one.deliveryId, { hold: 'restriction' });
    const kinds = all.map((one): Recipient => recipientOf(one, isNew));
    const spent = spend(pace.budget, limits, kinds, now, this.#kernel.random);
    spent.answers.forEach((answer, n) => {
      const one = all[n];
      if (answer === 'go' || !one) return;
      verdicts.set(one.deliveryId, { hold: answer.hold });
      if (answer.hold === 'new_people') gate.newPeopleAt = Math.max(gate.newPeopleAt, answer.until);
      else if (kinds[n] === 'group') gate.usualAt = Math.max(gate.usualAt, answer.until);
    });
    gate.budget = spent.budget;
    const first = all.find(({ deliveryId }) => !verdicts.has(deliveryId));
    const probe = pace.restriction && first ? { id: first.deliveryId, status: 'queued' } : pace.probe;
    return { gate, spent: first && { ...pace, budget: spent.budget, probe } };
  }

  /** Those that a restriction lets go: none, the one that tries first, or all. */
  async #underRestriction(
    tx: Tx,
    pace: PaceRow,
    sending: Locked[],
    now: number,
    gate: Gate,
  ): Promise<Locked[]> {
    const { restriction, probe } = pace;
    if (!restriction) return sending;
    const shutUntil = (until: number) => {
      gate.usualAt = until;
      gate.newPeopleAt = until;
    };
    if (restriction.until > now) {
      shutUntil(restriction.until);
      return [];
    }
    if (probe && ARRIVED.includes(probe.status)) {
      await restrictionIsOver(tx, pace);
      pace.restriction = null;
      pace.probe = null;
      return sending;
    }
    shutUntil(now + PROBE_LOOK_MS);
    return probe?.status === 'in_flight' ? [] : sending.slice(0, 1);
  }

  #adviceFor(channelId: string): PacingAdvice | undefined {
    return this.#advice.get(channelId) ?? this.#channels.drivenById(channelId)?.adapter.capabilities.pacing;
  }

  #keep(channelId: string, gate: Gate): void {
    this.#gates.set(channelId, gate);
    this.#wakeAt(channelId);
  }

  #forget(channelId: string): void {
    if (channelId === '') this.#gates.clear();
    else this.#gates.delete(channelId);
    this.#tell();
  }

  /** Until nothing is shut any more. */
  #wakeAt(channelId: string): void {
    this.#timers.get(channelId)?.();
    this.#timers.delete(channelId);
    const gate = this.#gates.get(channelId);
    if (!gate) return;
    const now = this.#now();
    const opens = [gate.usualAt, gate.newPeopleAt, messagesOpenAt(gate.budget, gate.limits)].filter(
      at => at > now,
    );
    if (opens.length === 0) return;
    const wait = Math.min(Math.min(...opens) - now + 1, LONGEST_TIMER_MS);
    this.#timers.set(
      channelId,
      this.#kernel.clock.after(wait, () => {
        this.#tell();
        this.#wakeAt(channelId);
      }),
    );
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  #now(): number {
    return this.#kernel.clock.now().getTime();
  }
}

function isRestricted({ restriction }: PaceRow, now: number): boolean {
  return restriction !== null && restriction.until > now;
}

function recipientOf({ deliveryId, groupId }: Locked, isNew: Set<string>): Recipient {
  if (groupId !== null) return 'group';
  return isNew.has(deliveryId) ? 'new' : 'known';
}

function personOf(one: Locked): (Locked & { phone: string })[] {
  return one.phone === null ? [] : [{ ...one, phone: one.phone }];
}
