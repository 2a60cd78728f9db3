import pg from 'pg';
import { connectionOver } from './client-connection.ts';
import type { Engine, EngineConnection } from './engine.ts';
import { typesOfOurs } from './number-types.ts';

type PostgresOptions = {
  url: string;
  /** Where LISTEN works when `url` goes through a transaction pooler. */
  directUrl?: string | undefined;
  poolSize: number;
  /** Told about faults of idle connections; each is replaced on the next use. */
  onFault: (error: Error) => void;
};

const RELISTEN_MS = 1_000;
const CONNECT_MS = 10_000;

/** PostgreSQL 15 or later over `pg`. */
export function openPostgres(options: PostgresOptions): Engine {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    types: typesOfOurs(),
    application_name: 'convoke',
    connectionTimeoutMillis: CONNECT_MS,
  });
  let closed = false;
  pool.on('error', error => {
    if (!closed) options.onFault(error);
  });
  const ear = new Ear(options.directUrl ?? options.url, options.onFault);
  return {
    kind: 'server',
    acquire: async () => connectionOf(await pool.connect()),
    listen: (channel, onPayload) => ear.listen(channel, onPayload),
    close: async () => {
      closed = true;
      await ear.close();
      await pool.end();
    },
  };
}

function connectionOf(client: pg.PoolClient): EngineConnection {
  const onFault = () => undefined;
  client.on('error', onFault);
  return connectionOver(client, broken => {
    client.off('error', onFault);
    client.release(broken);
  });
}

/** One connection of its own for LISTEN; it comes back by itself after a fault. */
class Ear {
  readonly #url: string;
  readonly #onFault: (error: Error) => void;
  readonly #listeners = new Map<string, Set<(payload: string) => void>>();
  #client: pg.Client | undefined;
  /** What is done with the connection happens in turn. */
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: string, onFault: (error: Error) => void) {
    this.#url = url;
    this.#onFault = onFault;
  }

  async listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(onPayload));
    await this.#inTurn(async () => {
      if (this.#client) await this.#client.query(`listen ${pg.escapeIdentifier(channel)}`);
      else await this.#connect();
    });
    return async () => {
      listeners.delete(onPayload);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
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
    client.on('error', error => this.#onFault(error));
    client.on('end', () => this.#comeBack(client));
    try {
      await client.connect();
      for (const channel of this.#listeners.keys())
        await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      this.#comeBack(client);
      throw error;
    }
  }

  #comeBack(client: pg.Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#client) void this.#inTurn(() => this.#connect());
    }, RELISTEN_MS);
    this.#timer.unref();
  }
}
