import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import type { Secrets } from './secrets.ts';
import type { Wake } from './wake.ts';

/** What every room may count on. Made once by main.ts; a `Scope` carries it along. */
export type Kernel = {
  readonly config: Config;
  readonly clock: Clock;
  /** From 0 to below 1, for turns and jitter; nothing secret is made of it. */
  readonly random: () => number;
  readonly log: Logger;
  readonly database: Database;
  readonly secrets: Secrets;
  readonly wake: Wake;
  /** `id` is stable across restarts, `bootId` names this very process in claims and leases. */
  readonly node: { readonly id: string; readonly bootId: string };
};
