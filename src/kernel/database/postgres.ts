import pg from 'pg';
import { connectionOver } from './client-connection.ts';
import { Ear, type Pulse } from './ear.ts';
import { type Engine, type EngineConnection, LinkFault, type Patience } from './engine.ts';
import { hangUp } from './hang-up.ts';
import { typesOfOurs } from './number-types.ts';

type PostgresOptions = {
  url: string;
  /** Where LISTEN works when `url` goes through a transaction pooler. */
  directUrl?: string | undefined;
  poolSize: number;
  /** After how long without an answer a statement fails and its connection is given up. */
  deadlineMs?: number;
  /** After how long the server ends a transaction in which it hears nothing from us. */
  idleMs?: number;
  pulse?: Pulse;
  /** Told about faults of idle connections; each is replaced on the next use. */
  onFault: (error: Error) => void;
};

const CONNECT_MS = 5_000;
const KEEP_ALIVE_MS = 10_000;
const DEADLINE_MS = 15_000;
const PATIENT_MS = 600_000;
const IDLE_MS = 10_000;
const PULSE = { everyMs: 5_000, withinMs: 5_000 };
/** The server cancels a slow statement before we hang up, so that its connection stays. */
const SERVER_SHARE = 0.8;

/** PostgreSQL 15 or later over `pg`. Nothing waits for a server without an end. */
export function openPostgres(options: PostgresOptions): Engine {
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const idleMs = options.idleMs ?? IDLE_MS;
  let closed = false;
  const onFault = (error: Error) => {
    if (!closed) options.onFault(error);
  };
  const common = poolOf(options.url, 'convoke', options.poolSize, onFault);
  const urgent = poolOf(options.url, 'convoke leases', 1, onFault);
  const ear = new Ear(options.directUrl ?? options.url, onFault, options.pulse ?? PULSE);
  const statementMs = ({ patient, withinMs = PATIENT_MS }: Patience) =>
    Math.min(patient ? PATIENT_MS : deadlineMs, withinMs);
  return {
    kind: 'server',
    acquire: async (patience = {}) => {
      const end = performance.now() + (patience.withinMs ?? Number.POSITIVE_INFINITY);
      const client = await clientOf(patience.urgent ? urgent : common, patience.withinMs ?? CONNECT_MS);
      const leftMs = () => Math.min(statementMs(patience), end - performance.now());
      return connectionOf(client, leftMs, options.directUrl !== undefined);
    },
    limits: patience => {
      const serverMs = Math.max(1, Math.round(statementMs(patience) * SERVER_SHARE));
      return `set local statement_timeout = ${serverMs}; set local idle_in_transaction_session_timeout = ${idleMs}`;
    },
    listen: (channel, onPayload) => ear.listen(channel, onPayload),
    close: async () => {
      closed = true;
      await ear.close();
      await Promise.all([common.end(), urgent.end()]);
    },
  };
}

function poolOf(url: string, name: string, max: number, onFault: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    types: typesOfOurs(),
    application_name: name,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  pool.on('error', onFault);
  return pool;
}

/** A connection of the pool within so many ms; one that comes later goes back. */
async function clientOf(pool: pg.Pool, withinMs: number): Promise<pg.PoolClient> {
  let timer: NodeJS.Timeout | undefined;
  const coming = pool.connect();
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(noConnection());
      coming.then(
        client => client.release(),
        () => undefined,
      );
    }, withinMs);
  });
  try {
    return await Promise.race([coming, late]);
  } catch (error) {
    throw error instanceof Error && TOO_LATE.test(error.message) ? noConnection(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** How `pg` says that all connections of the pool are in use, or that a new one takes too long. */
const TOO_LATE = /timeout exceeded when trying to connect|due to connection timeout|timeout expired/;

function noConnection(cause?: unknown): LinkFault {
  return new LinkFault('No connection to the database could be had in time.', false, cause);
}

function connectionOf(client: pg.PoolClient, leftMs: () => number, pooled: boolean): EngineConnection {
  let fault: Error | undefined;
  const onFault = (error: Error) => {
    fault = error;
  };
  client.on('error', onFault);
  const onRelease = (broken: boolean) => {
    client.off('error', onFault);
    client.release(broken || fault !== undefined);
  };
  return connectionOver(client, onRelease, {
    leftMs,
    pooled,
    fault: () => fault,
    destroy: () => hangUp(client),
  });
}
