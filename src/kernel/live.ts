import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Fact, readActivity } from './activity.ts';
import { inWorkspace } from './database/database.ts';
import type { Routes } from './http/route.ts';
import { openStream, type Stream } from './http/sse.ts';
import type { Scope } from './scope.ts';

const PAGE = 200;
/** A listener that was not woken looks by itself. */
const LOOK_MS = 5_000;

const LiveQuery = z.strictObject({
  after: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .describe('Facts after this `seq`; `Last-Event-ID` goes before it'),
});

/**
 * One stream of server-sent events per browser: each sealed fact with its `seq` as id, so that a stream
 * that broke off goes on without a gap, and `hint` events without id for what does not last.
 */
export function registerLiveRoute(routes: Routes): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/live',
    summary: 'Follow what happens, as server-sent events; resumable by Last-Event-ID',
    tag: 'activity',
    permission: 'activity.read',
    stream: true,
    query: LiveQuery,
    answers: {},
    handler: async ({ scope, query, request }) => {
      const head = await headOf(scope);
      // A position beyond the head is of a database that an older one has replaced: nothing would ever come.
      const from = Math.min(lastEventId(request) ?? query.after ?? head, head);
      follow(scope, openStream(request), from);
      return {};
    },
  });
}

/** Sends what is sealed after `from`, and goes on until the stream ends. One read at a time. */
export function follow(scope: Scope, stream: Stream, from: number): void {
  const { wake, log } = scope.kernel;
  let at = from;
  let reading = false;
  let again = false;

  const drain = async () => {
    do {
      again = false;
      const facts = await readActivity(scope, { afterSeq: at, limit: PAGE });
      for (const fact of facts) {
        if (!stream.send(eventOf(fact))) return;
        at = fact.seq;
      }
      if (facts.length === PAGE) again = true;
    } while (again);
  };
  const look = () => {
    again = true;
    if (reading) return;
    reading = true;
    drain()
      .catch(error => {
        log.warn({ event: 'live.read', err: error }, 'a live stream could not be read');
        stream.close();
      })
      .finally(() => {
        reading = false;
      });
  };
  const unsubscribe = [
    wake.on(`live:${scope.workspaceId}`, look),
    wake.on(`hint:${scope.workspaceId}`, detail => {
      // Without a detail there were too many to tell: anything may have changed.
      const [topic = '', id = ''] = (detail || '*').split(' ');
      stream.send({ event: 'hint', data: { topic, id } });
    }),
  ];
  const timer = setInterval(look, LOOK_MS);
  timer.unref();
  stream.onClose(() => {
    clearInterval(timer);
    for (const off of unsubscribe) off();
  });
  // The position goes out first, so that a stream without a single fact can be resumed too.
  stream.send({ id: String(at), event: 'ready', data: { seq: at } });
  look();
}

function eventOf(fact: Fact) {
  return { id: String(fact.seq), event: 'fact', data: fact };
}

async function headOf(scope: Scope): Promise<number> {
  const head = await inWorkspace(scope, tx =>
    tx
      .selectFrom('activity_heads')
      .select('seq')
      .where('workspace_id', '=', scope.workspaceId)
      .executeTakeFirst(),
  );
  return head?.seq ?? 0;
}

function lastEventId(request: FastifyRequest): number | undefined {
  const given = request.headers['last-event-id'];
  return typeof given === 'string' && /^[0-9]{1,15}$/.test(given) ? Number(given) : undefined;
}
