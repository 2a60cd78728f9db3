import type { Driven, SendOutcome } from '../channels/index.ts';
import { type Kernel, outsideTransaction } from '../kernel/index.ts';
import type { Begun } from './begin.ts';
import { ANY_TIME, type Doubts } from './doubts.ts';
import { untilInstant } from './instant.ts';
import type { Settlement, Settling } from './settle.ts';

/** What the outbox wants to know of one attempt. */
export type Followed = {
  /** The wire has answered or given up: its place is free. */
  landed(): void;
  /** The answer is stored, and what became of the message may be looked at again. */
  open(): void;
};

/** An answer that could not be stored is tried again, with pauses that double between these. */
const SETTLE_AGAIN_MS = { first: 200, most: 16_000 };
const STOP_MS = 20_000;

/** Puts begun attempts on the wire at their instant, and stores what comes of them. */
export class Flights {
  readonly #kernel: Kernel;
  readonly #settling: Settling;
  readonly #flying = new Set<Promise<void>>();
  #stopped = false;

  constructor(kernel: Kernel, settling: Settling) {
    this.#kernel = kernel;
    this.#settling = settling;
  }

  launch(attempt: Begun, doubts: Doubts, followed: Followed): void {
    doubts.launched(attempt.attemptId);
    void this.#track(attempt, this.#send(attempt, doubts, followed));
  }

  /**
   * Their commit failed, or only its answer was lost: whatever stands there now was surely not sent. Answers those
   * whose message is still on the wire all the same, by an attempt before.
   */
  async takeBack(drawn: Begun[]): Promise<Begun[]> {
    const outcome = notSent('not_begun', this.#kernel.clock.now());
    const open: Begun[] = [];
    const settle = async (attempt: Begun) => {
      if (await this.#settle(attempt, outcome)) open.push(attempt);
    };
    await Promise.all(drawn.map(attempt => this.#track(attempt, settle(attempt))));
    return open;
  }

  /** Waits for what is on the wire, 20 s at most. */
  async stop(): Promise<void> {
    const landed = Promise.all(this.#flying).then(() => this.#settling.idle());
    await Promise.race([landed, this.#pause(STOP_MS)]);
    this.#stopped = true;
  }

  #track(attempt: Begun, work: Promise<unknown>): Promise<void> {
    const flight: Promise<void> = work
      .then(() => undefined)
      .catch(error => {
        const ids = { channel_id: attempt.channelId, attempt_id: attempt.attemptId };
        this.#kernel.log.error({ event: 'messages.settle', ...ids, err: error }, 'the answer was not stored');
      })
      .finally(() => this.#flying.delete(flight));
    this.#flying.add(flight);
    return flight;
  }

  async #send(attempt: Begun, doubts: Doubts, followed: Followed): Promise<void> {
    const { driven, wire, deadline } = attempt;
    await untilInstant(this.#kernel.clock, attempt.dueAt);
    const started = this.#kernel.clock.monotonic();
    const outcome = driven.held()
      ? await send(driven, wire, deadline)
      : notSent('channel_moved', this.#kernel.clock.now());
    const opening = outcome.outcome === 'unknown' ? driven.opening() : ANY_TIME;
    followed.landed();
    this.#kernel.log.info({
      event: 'messages.attempt',
      workspace_id: attempt.workspaceId,
      channel_id: attempt.channelId,
      delivery_id: attempt.deliveryId,
      attempt_id: attempt.attemptId,
      outcome: outcome.outcome,
      ms: Math.round(this.#kernel.clock.monotonic() - started),
    });
    const open = await this.#settle(attempt, outcome).catch(error => {
      doubts.forget(attempt.attemptId);
      throw error;
    });
    if (!open) {
      doubts.forget(attempt.attemptId);
      return;
    }
    this.#after(outcome, () => {
      doubts.remember(attempt.attemptId, opening);
      followed.open();
    });
  }

  /** What was not sent this time, and may have been before, is looked at when it may be tried again. */
  #after(outcome: SendOutcome, look: () => void): void {
    const now = this.#kernel.clock.now().getTime();
    const wait = outcome.outcome === 'deferred' ? outcome.until.getTime() - now : 0;
    if (wait > 0) outsideTransaction(() => this.#kernel.clock.after(wait, look));
    else look();
  }

  /** An answer is worth waiting for the database, however long: without it the message would become unknown. */
  async #settle(attempt: Begun, outcome: SendOutcome): Promise<boolean> {
    const settlement: Settlement = {
      workspaceId: attempt.workspaceId,
      channelId: attempt.channelId,
      deliveryId: attempt.deliveryId,
      attemptId: attempt.attemptId,
      providerId: attempt.wire.providerId,
      outcome,
      answerMeans: attempt.driven.adapter.capabilities.answerMeans,
    };
    for (let delay = SETTLE_AGAIN_MS.first; ; delay = Math.min(delay * 2, SETTLE_AGAIN_MS.most)) {
      try {
        return (await this.#settling.add(settlement)).open;
      } catch (error) {
        this.#kernel.log.warn({ event: 'messages.settle', attempt_id: settlement.attemptId, err: error });
        if (this.#stopped) throw error;
        await this.#pause(delay);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise(resolve => this.#kernel.clock.after(ms, resolve));
  }
}

/** Adapters do not throw; one that does has said nothing about what became of the message. */
async function send(driven: Driven, wire: Begun['wire'], deadline: Date): Promise<SendOutcome> {
  try {
    return await driven.connection.send(wire, deadline);
  } catch (error) {
    return { outcome: 'unknown', cause: error instanceof Error ? error.name : 'error' };
  }
}

/** It surely did not reach the wire: the channel went to another node first, or the attempt was never begun. */
function notSent(code: 'channel_moved' | 'not_begun', now: Date): SendOutcome {
  return { outcome: 'deferred', code, until: now };
}
