import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { systemClock } from './clock.ts';
import { type Config, leaseTimesOf } from './config.ts';
import { openEmbedded } from './database/embedded/index.ts';
import { type Engine, sqlState } from './database/engine.ts';
import { openDatabase } from './database/open.ts';
import { openPostgres } from './database/postgres.ts';
import { StartError } from './errors.ts';
import { newId } from './ids.ts';
import type { Kernel } from './kernel.ts';
import { createSecrets } from './secrets.ts';
import { createWake } from './wake.ts';

type OpenKernelOptions = {
  /** The database is gone for good; the program must stop. */
  onFault: (error: Error) => void;
};

/**
 * Opens the database and makes the kernel. Whoever opened it closes `kernel.database`.
 * Throws StartError with the remedy for everything that an operator can put right.
 */
export async function openKernel(config: Config, log: Logger, options: OpenKernelOptions): Promise<Kernel> {
  const warn = (text: string) => log.warn({ event: 'kernel.start' }, text);
  const engine = await openEngine(config, warn, options);
  try {
    const database = await openDatabase(engine, warn);
    const secrets = await createSecrets({
      keyring: config.masterKey,
      dataDir: config.dataDir,
      serverMode: engine.kind === 'server',
      database,
    });
    const bootId = newId();
    const wake = createWake(engine, bootId, log);
    const node = { id: config.nodeId, bootId };
    return { config, clock: systemClock, random: Math.random, log, database, secrets, wake, node };
  } catch (error) {
    await engine.close();
    throw asStartError(error, config.databaseUrl);
  }
}

const LONGEST_IDLE_MS = 10_000;

/** Whether there is an embedded database in the data folder, or one may be on a server. */
export function hasDatabase(config: Config): boolean {
  return config.databaseUrl !== undefined || existsSync(join(config.dataDir, 'postgres'));
}

async function openEngine(
  config: Config,
  warn: (text: string) => void,
  options: OpenKernelOptions,
): Promise<Engine> {
  if (config.databaseUrl === undefined)
    return openEmbedded({ folder: config.dataDir, warn, onFault: options.onFault });
  return openPostgres({
    url: config.databaseUrl,
    directUrl: config.databaseDirectUrl,
    poolSize: config.databasePool,
    deadlineMs: config.databaseDeadlineMs,
    // Whoever takes a channel over waits for what its last holder left open.
    idleMs: Math.min(LONGEST_IDLE_MS, Math.round(leaseTimesOf(config).ttlMs / 2)),
    onFault: error => warn(`A connection to the database broke: ${error.message}`),
  });
}

const REMEDIES: Record<string, string> = {
  ECONNREFUSED: 'nothing answers there. Is PostgreSQL running, and are host and port right?',
  ENOTFOUND: 'there is no such host. Check the name in DATABASE_URL.',
  EAI_AGAIN: 'the host name cannot be looked up. Check the network.',
  ETIMEDOUT: 'it does not answer. Check host, port and firewall.',
  '28P01': 'it refuses the password. Check DATABASE_URL.',
  '28000': 'it refuses this user. Check the user in DATABASE_URL and pg_hba.conf.',
  '3D000': 'it has no database of that name. Create it, or check DATABASE_URL.',
  '53300': 'it has no connection left. Lower CONVOKE_DATABASE_POOL or raise max_connections.',
  '57P03': 'it is still starting. Try again in a moment.',
  '42501': 'this login may not create tables there. Give it a database or a schema of its own.',
};

function asStartError(error: unknown, url: string | undefined): unknown {
  if (error instanceof StartError || url === undefined) return error;
  const remedy = REMEDIES[sqlState(error) ?? ''];
  if (remedy === undefined) return error;
  const { hostname, port, pathname } = new URL(url);
  return new StartError(`The database ${hostname}:${port || 5432}${pathname} cannot be used: ${remedy}`, {
    cause: error,
  });
}
