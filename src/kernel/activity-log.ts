import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { z } from 'zod';
import { Fact } from './activity.ts';
import { csvLine } from './csv.ts';
import { inWorkspace, type Tx } from './database/database.ts';
import { pageCursor, readCursor } from './http/page.ts';
import type { Routes } from './http/route.ts';
import { Id, Instant, PageQuery, pageOf } from './http/shapes.ts';
import { firstId } from './ids.ts';
import type { Actor, Scope } from './scope.ts';

/** The names of those who act in a workspace, by id; the identity room knows them. */
export type ActorNames = (scope: Scope, ids: string[]) => Promise<Map<string, string>>;

const LoggedFact = Fact.extend({
  actor: Fact.shape.actor.extend({ name: z.string().nullable().describe('As it is today') }),
  address: z.string().nullable().describe('Where it came from; shown to those with `audit.read`'),
});
type LoggedFact = z.output<typeof LoggedFact>;

const Filter = z.strictObject({
  subject_id: Id.optional(),
  actor_id: Id.optional().describe('The user or API key that did it'),
  type: z
    .string()
    .regex(
      /^[a-z_]+\.[a-z_]*$/,
      'Use a type such as `reminder.created`, or its beginning with the dot: `reminder.`',
    )
    .max(60)
    .optional()
    .describe('Only this type, such as `reminder.created`, or all that begin with `reminder.`'),
  from: Instant.optional().describe('Not before this instant'),
  to: Instant.optional().describe('Before this instant'),
});
type Filter = z.output<typeof Filter>;

const LoggedFactPage = pageOf(LoggedFact);
export type LoggedFactPage = z.output<typeof LoggedFactPage>;

const EXPORT_PAGE = 500;

export function registerActivityRoutes(routes: Routes, names: ActorNames): void {
  routes.workspace({
    method: 'GET',
    url: '/v1/activity',
    summary: 'List what happened, newest first',
    tag: 'activity',
    permission: 'activity.read',
    query: Filter.extend(PageQuery.shape),
    answers: { 200: LoggedFactPage },
    handler: async ({ scope, query }) => ({ body: await activityLog.page(scope, query, names) }),
  });
  routes.workspace({
    method: 'GET',
    url: '/v1/activity/export.csv',
    summary: 'All that happened, newest first, as a CSV file',
    tag: 'activity',
    permission: 'audit.read',
    query: Filter,
    answers: { 200: z.string() },
    handler: async ({ scope, query, request }) =>
      activityLog.csv(scope, query, names, request.method === 'HEAD'),
  });
}

/** What happened, for people who look into it. */
export const activityLog = {
  Query: Filter.extend(PageQuery.shape),
  Filter,
  Page: LoggedFactPage,
  File: z.string(),
  select: selectLog,

  async page(
    scope: Scope,
    { limit, cursor, ...filter }: Filter & { limit: number; cursor?: string | undefined },
    names: ActorNames,
  ): Promise<LoggedFactPage> {
    const facts = await readLog(scope, filter, { limit: limit + 1, before: readCursor(cursor) }, names);
    const data = facts.slice(0, limit);
    const last = data.at(-1);
    return { data, page: { next_cursor: facts.length > limit && last ? pageCursor(last.id) : null } };
  },

  /** Read page by page while it is written, so that a million facts take no more memory than one page. */
  csv(scope: Scope, filter: Filter, names: ActorNames, headersOnly: boolean) {
    const day = scope.kernel.clock.now().toISOString().slice(0, 10);
    return {
      headers: {
        'content-type': 'text/csv; charset=utf-8; header=present',
        'content-disposition': `attachment; filename="activity-${day}.csv"`,
        'cache-control': 'no-store',
      },
      body: headersOnly ? '' : Readable.from(linesOf(scope, filter, names)),
    };
  },
};

async function* linesOf(scope: Scope, filter: Filter, names: ActorNames): AsyncGenerator<string> {
  yield csvLine(COLUMNS.map(([name]) => name));
  let before: string | undefined;
  do {
    const facts = await readLog(scope, filter, { limit: EXPORT_PAGE, before }, names);
    if (facts.length > 0) yield facts.map(fact => csvLine(COLUMNS.map(([, pick]) => pick(fact)))).join('');
    before = facts.length < EXPORT_PAGE ? undefined : facts.at(-1)?.id;
  } while (before !== undefined);
}

const COLUMNS: [name: string, pick: (fact: LoggedFact) => string | number | null][] = [
  ['seq', fact => fact.seq],
  ['id', fact => fact.id],
  ['occurred_at', fact => fact.occurred_at],
  ['type', fact => fact.type],
  ['actor_kind', fact => fact.actor.kind],
  ['actor_id', fact => fact.actor.id],
  ['actor_name', fact => fact.actor.name],
  ['address', fact => fact.address],
  ['subject_type', fact => fact.subject.type],
  ['subject_id', fact => fact.subject.id],
  ['before', fact => partOf(fact, 'before')],
  ['after', fact => partOf(fact, 'after')],
  ['payload', fact => JSON.stringify(fact.payload)],
];

function partOf({ payload }: LoggedFact, part: 'before' | 'after'): string | null {
  const value = (payload as Record<string, unknown> | null)?.[part];
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Place = { limit: number; before: string | undefined };

async function readLog(scope: Scope, filter: Filter, place: Place, names: ActorNames): Promise<LoggedFact[]> {
  const rows = await inWorkspace(scope, tx => selectLog(tx, scope.workspaceId, filter, place).execute());
  const ids = [...new Set(rows.flatMap(row => row.actor_id ?? []))];
  const known = ids.length === 0 ? new Map<string, string>() : await names(scope, ids);
  const showsAddresses = scope.may('audit.read');
  return rows.map(row => ({
    seq: row.seq,
    id: row.id,
    type: row.type,
    actor: {
      kind: row.actor_kind as Actor['kind'],
      id: row.actor_id,
      name: known.get(row.actor_id ?? '') ?? null,
    },
    address: showsAddresses ? row.address : null,
    subject: { type: row.subject_type, id: row.subject_id },
    payload: row.payload,
    occurred_at: row.occurred_at.toISOString(),
  }));
}

/** An id is made up to this long before or after the instant that its fact is said to have happened at. */
const ID_SLACK_MS = 3_600_000;

/**
 * By id, which is time, and not by `seq`: each index of the table ends with the id, so that a page takes as many steps
 * with a million facts as with a hundred. The fence keeps the plan from sorting all of them.
 */
function selectLog(tx: Tx, workspaceId: string, filter: Filter, { limit, before }: Place) {
  const { subject_id: subjectId, actor_id: actorId, type, from, to } = filter;
  let rows = tx
    .selectFrom('activity as a')
    .innerJoinLateral(
      seal =>
        seal
          .selectFrom('activity_seals')
          .select('activity_seals.seq')
          .whereRef('activity_seals.workspace_id', '=', 'a.workspace_id')
          .whereRef('activity_seals.activity_id', '=', 'a.id')
          .offset(0)
          .as('s'),
      join => join.onTrue(),
    )
    .select(['s.seq', 'a.id', 'a.type', 'a.actor_kind', 'a.actor_id', 'a.address', 'a.subject_type'])
    .select(['a.subject_id', 'a.payload', 'a.occurred_at'])
    .where('a.workspace_id', '=', workspaceId)
    .orderBy('a.id', 'desc')
    .limit(limit);
  if (before !== undefined) rows = rows.where('a.id', '<', before);
  if (subjectId !== undefined) rows = rows.where('a.subject_id', '=', subjectId);
  if (actorId !== undefined) rows = rows.where('a.actor_id', '=', actorId);
  if (type !== undefined) rows = rows.where(ofType(type));
  if (from !== undefined)
    rows = rows
      .where('a.occurred_at', '>=', new Date(from))
      .where('a.id', '>=', firstId(Date.parse(from) - ID_SLACK_MS));
  if (to !== undefined)
    rows = rows
      .where('a.occurred_at', '<', new Date(to))
      .where('a.id', '<', firstId(Date.parse(to) + ID_SLACK_MS));
  return rows;
}

const EVERY_MESSAGE = ['message.accepted', 'message.sent', 'message.delivered', 'message.read'];

/** In the words of the partial index, wherever it holds the type. */
function ofType(type: string) {
  const named = type.endsWith('.')
    ? sql<boolean>`a.type collate "C" >= ${type} and a.type collate "C" < ${`${type.slice(0, -1)}/`}`
    : sql<boolean>`a.type collate "C" = ${type}`;
  if (type === 'message.' || EVERY_MESSAGE.includes(type)) return named;
  return sql<boolean>`${named} and a.type not in (${sql.join(EVERY_MESSAGE.map(one => sql.lit(one)))})`;
}
