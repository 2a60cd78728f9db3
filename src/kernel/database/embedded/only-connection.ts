import pg from 'pg';
import { connectionOver } from '../client-connection.ts';
import type { EngineConnection } from '../engine.ts';
import { typesOfOurs } from '../number-types.ts';
import { Turns } from './turns.ts';
import type { Wire } from './wire.ts';

/** Brings the connection back to what it was when it opened, except that it keeps listening. */
const CLEAN = `rollback; reset session authorization; reset all; select pg_advisory_unlock_all()`;

type Listeners = Set<(payload: string) => void>;

/**
 * The one connection of an embedded database, spoken to by the same `pg` client that speaks to servers, so
 * that values and errors are the same in both.
 */
export class OnlyConnection {
  readonly #client: pg.Client;
  readonly #turns = new Turns();
  readonly #listeners = new Map<string, Listeners>();

  static async open(wire: Wire): Promise<OnlyConnection> {
    const client = new pg.Client({
      stream: () => wire,
      user: 'postgres',
      database: 'postgres',
      ssl: false,
      application_name: 'convoke',
      types: typesOfOurs(),
    });
    const only = new OnlyConnection(client);
    await client.connect();
    return only;
  }

  private constructor(client: pg.Client) {
    this.#client = client;
    client.on('error', error => this.fail(error));
    client.on('notification', ({ channel, payload }) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload ?? '');
    });
  }

  async acquire(): Promise<EngineConnection> {
    const endTurn = await this.#turns.take();
    const cleanUp = () => this.#client.query(CLEAN).catch(error => this.fail(error));
    return connectionOver(this.#client, broken => {
      if (broken) void cleanUp().then(endTurn);
      else endTurn();
    });
  }

  async listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set();
    listeners.add(onPayload);
    if (!this.#listeners.has(channel)) {
      this.#listeners.set(channel, listeners);
      const connection = await this.acquire();
      await connection.script(`listen ${pg.escapeIdentifier(channel)}`);
      connection.release();
    }
    return async () => {
      listeners.delete(onPayload);
    };
  }

  /** Refuses everyone who waits and everyone who comes. */
  fail(error: Error): void {
    this.#turns.refuse(error);
  }

  /** Lets those who already wait have their turn, then hangs up. */
  async end(): Promise<void> {
    await this.#turns.end(new Error('The database is closed.'));
    await this.#client.end();
  }
}
