import pg from 'pg';
import { hangUp } from './hang-up.ts';

const COME_BACK_MS = 1_000;
const CONNECT_MS = 5_000;

/** How often a quiet connection is asked whether it still stands, and how long it may take to say so. */
export type Pulse = { everyMs: number; withinMs: number };

type Listener = (payload: string) => void;

/**
 * One connection of its own for LISTEN; it comes back by itself after a fault. A link that swallows everything is a
 * fault too, although nobody says so: therefore it is asked from time to time.
 */
export class Ear {
  readonly #url: string;
  readonly #onFault: (error: Error) => void;
  readonly #pulse: Pulse;
  readonly #listeners = new Map<string, Set<Listener>>();
  #client: pg.Client | undefined;
  /** What is done with the connection happens in turn. */
  #last: Promise<void> = Promise.resolve();
  #comeBackTimer: NodeJS.Timeout | undefined;
  #pulseTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: string, onFault: (error: Error) => void, pulse: Pulse) {
    this.#url = url;
    this.#onFault = onFault;
    this.#pulse = pulse;
  }

  async listen(channel: string, onPayload: Listener): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(onPayload));
    await this.#inTurn(async () => {
      if (this.#client) await this.#ask(this.#client, listenTo(channel));
      else await this.#connect();
    });
    return async () => {
      listeners.delete(onPayload);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#comeBackTimer);
    clearTimeout(this.#pulseTimer);
    const client = this.#client;
    this.#client = undefined;
    if (client) hangUp(client);
    await this.#last;
  }

  /** Faults are told and cured by coming back. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work).catch(error => {
      if (!this.#closed) this.#onFault(error as Error);
    });
    return this.#last;
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'convoke listen',
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
    });
    this.#client = client;
    client.on('notification', message => {
      for (const listener of this.#listeners.get(message.channel) ?? []) listener(message.payload ?? '');
    });
    client.on('error', error => {
      if (!this.#closed) this.#onFault(error);
    });
    client.on('end', () => this.#comeBack(client));
    try {
      await client.connect();
      for (const channel of this.#listeners.keys()) await this.#ask(client, listenTo(channel));
    } catch (error) {
      hangUp(client);
      this.#comeBack(client);
      throw error;
    }
    this.#feelPulse(client);
  }

  /** An answer that does not come ends the connection; then it comes back. */
  async #ask(client: pg.Client, text: string): Promise<void> {
    const timer = setTimeout(() => hangUp(client), this.#pulse.withinMs);
    try {
      await client.query(text);
    } finally {
      clearTimeout(timer);
    }
  }

  #feelPulse(client: pg.Client): void {
    clearTimeout(this.#pulseTimer);
    this.#pulseTimer = setTimeout(() => {
      void this.#inTurn(() => this.#ask(client, 'select 1')).then(() => {
        if (this.#client === client) this.#feelPulse(client);
      });
    }, this.#pulse.everyMs);
    this.#pulseTimer.unref();
  }

  #comeBack(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#comeBackTimer);
    this.#comeBackTimer = setTimeout(() => {
      if (!this.#client) void this.#inTurn(() => this.#connect());
    }, COME_BACK_MS);
    this.#comeBackTimer.unref();
  }
}

function listenTo(channel: string): string {
  return `listen ${pg.escapeIdentifier(channel)}`;
}
