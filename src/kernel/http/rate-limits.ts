import type { FastifyReply } from 'fastify';
import { AppError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { addHits } from '../limits.ts';

export type RouteClass = 'read' | 'write' | 'send';

/** Requests per minute of one workspace, or one person, on all nodes together. */
export type Allowance = Readonly<Record<RouteClass, number>>;

/** Who a request counts for: its workspace, or on routes without one the person. */
export type Asker = { workspaceId: string } | { userId: string };

/** What somebody may ask of the API. Plans fill it; without them it is the same for all. */
export type Allowances = { of(asker: Asker): Allowance };

/** More than people and ordinary programs ever need: it stops a loop that has gone wild. */
const GENEROUS: Allowances = { of: () => ({ read: 12_000, write: 6_000, send: 6_000 }) };

const WINDOW_MS = 60_000;
const SHARE_EVERY_MS = 1_000;

/** Of the window that began at `at`: counted here and, as far as it was shared, elsewhere. */
type Count = { at: number; hits: number; before: number; unsent: number };

export type ApiLimits = {
  /** Counts one request and says in the headers what is left. Throws 429 `rate_limited` with `retry_after_s`. */
  spend(reply: FastifyReply, asker: Asker, routeClass: RouteClass): void;
  stop(): Promise<void>;
};

/**
 * The limits of the API, per workspace or person and class of routes, over a window that slides. Each node counts in memory and
 * shares its counts once a second through the database, so that no request waits for it; in that second somebody may
 * get a little more from several nodes at once. While the database is away each node counts alone.
 */
export function createApiLimits(kernel: Kernel, allowances: Allowances = GENEROUS): ApiLimits {
  const counts = new Map<string, Count>();
  let timer: NodeJS.Timeout | undefined;
  let sharing: Promise<void> | undefined;

  const share = async () => {
    timer = undefined;
    const now = kernel.clock.now().getTime();
    for (const [key, count] of counts) if (now - count.at > 2 * WINDOW_MS) counts.delete(key);
    const sent = [...counts]
      .filter(([, count]) => count.unsent > 0)
      .map(([key, { at, unsent }]) => ({ key, at, hits: unsent }));
    try {
      const all = await kernel.database.inEngine('http.share_limits', tx => addHits(tx, sent, WINDOW_MS));
      for (const { key, hits } of sent) learn(counts.get(key), hits, all.get(key));
    } catch (error) {
      kernel.log.warn({ event: 'http.share_limits', err: error });
    }
  };
  const arm = () => {
    // A node that is alone has nobody to share with.
    if (timer || kernel.database.engine.kind === 'embedded') return;
    timer = setTimeout(() => {
      sharing = share();
    }, SHARE_EVERY_MS).unref();
  };
  return {
    spend(reply, asker, routeClass) {
      const most = allowances.of(asker)[routeClass];
      const who = 'userId' in asker ? `person:${asker.userId}` : asker.workspaceId;
      const key = `api.${routeClass}:${who}`;
      const now = kernel.clock.now().getTime();
      const count = rolled(counts.get(key), now);
      counts.set(key, count);
      const used = count.hits + count.before * (1 - (now - count.at) / WINDOW_MS);
      const left = Math.floor(most - used) - 1;
      const resetS = Math.max(1, Math.ceil((count.at + WINDOW_MS - now) / 1000));
      reply.headers({
        'ratelimit-policy': `${most};w=${WINDOW_MS / 1000}`,
        'ratelimit-limit': String(most),
        'ratelimit-remaining': String(Math.max(0, left)),
        'ratelimit-reset': String(resetS),
      });
      if (left < 0) throw tooOften('userId' in asker ? 'You' : 'This workspace', most, resetS);
      count.hits += 1;
      count.unsent += 1;
      arm();
    },
    stop: async () => {
      clearTimeout(timer);
      await sharing;
    },
  };
}

/** The count of the window that is now; what was of the one before fades. */
function rolled(count: Count | undefined, now: number): Count {
  const at = Math.floor(now / WINDOW_MS) * WINDOW_MS;
  if (count === undefined) return { at, hits: 0, before: 0, unsent: 0 };
  if (count.at >= at) return count;
  return { at, hits: 0, before: count.at === at - WINDOW_MS ? count.hits : 0, unsent: 0 };
}

/** `sent` of the hits here are in what all nodes have counted together. */
function learn(
  count: Count | undefined,
  sent: number,
  all: { at: number; hits: number; before: number } | undefined,
): void {
  if (count === undefined || all === undefined || all.at !== count.at) return;
  count.unsent -= sent;
  count.hits = all.hits + count.unsent;
  count.before = Math.max(count.before, all.before);
}

function tooOften(who: string, most: number, seconds: number): AppError {
  return new AppError(
    'rate_limited',
    `${who} may make ${most} such requests in a minute. Try again in ${seconds} s.`,
    { extra: { retry_after_s: seconds } },
  );
}
