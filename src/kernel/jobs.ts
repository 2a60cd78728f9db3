import type { z } from 'zod';
import { outsideTransaction } from './database/database.ts';
import { type ClaimedJob, type JobRows, jobRows } from './job-rows.ts';
import type { Kernel } from './kernel.ts';
import type { Metrics } from './metrics.ts';
import { INSTANCE } from './scope.ts';

/** One try of a job. */
export type JobRun = {
  id: string;
  /** Undefined when it belongs to the whole installation. */
  workspaceId: string | undefined;
  /** 1 at the first. */
  tries: number;
  /** Aborted when the time is up: nothing may be begun after that. */
  signal: AbortSignal;
};

export type JobOptions<P> = {
  /** What `addJob` must have been given; anything else is given up at once. */
  payload: z.ZodType<P>;
  /** After so many it is given up. */
  mostTries?: number;
  /** How long after the first failure it is tried again; each further wait is twice as long, an hour at most. */
  retryMs?: number;
};

export type JobHandler<P> = (payload: P, run: JobRun) => Promise<void>;

/**
 * Work that is added with `addJob` in the transaction that wants it and done after the commit, at least once: a process
 * that dies in the middle leaves its job to the next. What fails is tried again, later each time, and in the end given up:
 * such a job is logged as an error, counted, and kept for thirty days.
 */
export type Jobs = {
  /** To be called before `start`. A try ends after a minute. */
  handle<P>(name: string, options: JobOptions<P>, handler: JobHandler<P>): void;
  start(): void;
  /** Takes nothing more and waits a while for what is running. */
  stop(): Promise<void>;
};

/** Thrown by a handler for what no further try can cure. */
export class HopelessJob extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HopelessJob';
  }
}

type JobTimes = {
  /** A wake-up may be lost, so each node also looks by itself. */
  pollMs: number;
  /** How long one try may take. */
  withinMs: number;
  /** How long after it was claimed a job of a node that died falls free. Longer than a try. */
  claimMs: number;
  /** How long a stop waits for what is running. */
  stopMs: number;
};

const TIMES: JobTimes = { pollMs: 5_000, withinMs: 60_000, claimMs: 90_000, stopMs: 10_000 };
const AT_ONCE = 4;
const MOST_TRIES = 10;
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 3_600_000;
const FORGET_EVERY_MS = 3_600_000;
const ERROR_LENGTH = 300;

export function createJobs(kernel: Kernel, times: Partial<JobTimes> = {}): Jobs {
  return new Worker(kernel, { ...TIMES, ...times });
}

/** Shows how many jobs wait and how many were given up. */
export function showJobs(metrics: Metrics, kernel: Kernel): void {
  const rows = jobRows(kernel.database, kernel.node.bootId);
  const labels = ['name'];
  const waiting = metrics.gauge({ name: 'convoke_jobs_waiting', help: 'Jobs that are not done yet', labels });
  const dead = metrics.gauge({
    name: 'convoke_jobs_dead',
    help: 'Jobs that were given up within 30 days',
    labels,
  });
  metrics.onRead(async () => {
    const counts = await rows.count();
    waiting.show(counts.map(one => ({ labels: { name: one.name }, value: one.waiting })));
    dead.show(counts.map(one => ({ labels: { name: one.name }, value: one.dead })));
  });
}

type Handled = { mostTries: number; retryMs: number; work: (payload: unknown, run: JobRun) => Promise<void> };

class Worker implements Jobs {
  readonly #kernel: Kernel;
  readonly #times: JobTimes;
  readonly #rows: JobRows;
  readonly #handled = new Map<string, Handled>();
  readonly #running = new Map<Promise<void>, AbortController>();
  #looking: Promise<void> | undefined;
  #again = false;
  #started = false;
  #forgotAt = Number.NEGATIVE_INFINITY;
  #lookNoMore = () => {};
  #unsubscribe = () => {};

  constructor(kernel: Kernel, times: JobTimes) {
    this.#kernel = kernel;
    this.#times = times;
    this.#rows = jobRows(kernel.database, kernel.node.bootId);
  }

  handle<P>(name: string, options: JobOptions<P>, handler: JobHandler<P>): void {
    if (this.#handled.has(name)) throw new Error(`There are two handlers of the job ${name}.`);
    const { payload: shape, mostTries = MOST_TRIES, retryMs = RETRY_MS } = options;
    const work: Handled['work'] = async (given, run) => {
      const payload = shape.safeParse(given);
      if (!payload.success) throw new HopelessJob(`The payload does not fit: ${payload.error.message}`);
      await handler(payload.data, run);
    };
    this.#handled.set(name, { mostTries, retryMs, work });
  }

  start(): void {
    this.#started = true;
    this.#unsubscribe = this.#kernel.wake.on('jobs', () => this.#look());
    this.#look();
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#unsubscribe();
    this.#lookNoMore();
    await this.#looking;
    const ended = Promise.all(this.#running.keys());
    const callOff = this.#kernel.clock.after(this.#times.stopMs, () => {
      for (const controller of this.#running.values()) controller.abort();
    });
    await ended;
    callOff();
  }

  #look(): void {
    if (!this.#started) return;
    this.#lookNoMore();
    if (this.#looking) this.#again = true;
    else this.#looking = outsideTransaction(() => this.#claimAll());
  }

  async #claimAll(): Promise<void> {
    try {
      await this.#forget();
      do {
        this.#again = false;
        const room = AT_ONCE - this.#running.size;
        if (room <= 0) break;
        const claimed = await this.#rows.claim([...this.#handled.keys()], room, this.#times.claimMs);
        for (const job of claimed) this.#begin(job);
      } while (this.#started && this.#again);
    } catch (error) {
      this.#kernel.log.warn({ event: 'jobs.claim', err: error }, 'claiming jobs failed, trying again');
    }
    this.#looking = undefined;
    this.#lookAfter(this.#times.pollMs);
  }

  async #forget(): Promise<void> {
    const now = this.#kernel.clock.monotonic();
    if (now - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    await this.#rows.forgetDead();
  }

  #lookAfter(ms: number): void {
    if (!this.#started) return;
    this.#lookNoMore();
    this.#lookNoMore = this.#kernel.clock.after(ms, () => this.#look());
  }

  #begin(job: ClaimedJob): void {
    const controller = new AbortController();
    const running = outsideTransaction(() => this.#try(job, controller))
      .catch(error => {
        const { id, name } = job;
        this.#kernel.log.warn(
          { event: 'jobs.settle', job: name, job_id: id, err: error },
          'it will run again',
        );
      })
      .finally(() => {
        this.#running.delete(running);
        this.#look();
      });
    this.#running.set(running, controller);
  }

  async #try(job: ClaimedJob, controller: AbortController): Promise<void> {
    const handled = this.#handled.get(job.name);
    if (!handled) return;
    const { id, name, tries, workspaceId } = job;
    if (tries > handled.mostTries) {
      return this.#giveUp(job, new Error('The program ended during its last try.'));
    }
    const from = this.#kernel.clock.monotonic();
    const run = {
      id,
      tries,
      signal: controller.signal,
      workspaceId: workspaceId === INSTANCE ? undefined : workspaceId,
    };
    try {
      await this.#inTime(handled.work(job.payload, run), controller);
    } catch (error) {
      if (error instanceof HopelessJob || tries >= handled.mostTries) return this.#giveUp(job, error);
      const delayMs = this.#backOff(handled.retryMs, tries);
      await this.#rows.again(job, delayMs, wordsOf(error));
      this.#kernel.log.warn({
        event: 'jobs.run',
        outcome: 'again',
        job: name,
        job_id: id,
        tries,
        err: error,
      });
      this.#kernel.clock.after(delayMs, () => this.#look());
      return;
    }
    await this.#rows.done(job);
    const ms = Math.round(this.#kernel.clock.monotonic() - from);
    this.#kernel.log.info({ event: 'jobs.run', outcome: 'ok', job: name, job_id: id, tries, ms });
  }

  async #giveUp(job: ClaimedJob, error: unknown): Promise<void> {
    await this.#rows.bury(job, wordsOf(error));
    const { id, name, tries } = job;
    this.#kernel.log.error({
      event: 'jobs.run',
      outcome: 'given_up',
      job: name,
      job_id: id,
      tries,
      err: error,
    });
  }

  /** Half of it by chance, so that what failed together does not come back together. */
  #backOff(retryMs: number, tries: number): number {
    const ms = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** (tries - 1));
    return ms * (0.5 + this.#kernel.random() / 2);
  }

  async #inTime(work: Promise<void>, controller: AbortController): Promise<void> {
    const late = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () =>
        reject(new Error('It took too long, or the node stops.')),
      );
    });
    const callOff = this.#kernel.clock.after(this.#times.withinMs, () => controller.abort());
    try {
      await Promise.race([work, late]);
    } finally {
      callOff();
    }
  }
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, ERROR_LENGTH);
}
