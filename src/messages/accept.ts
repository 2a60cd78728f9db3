import { OPTED_OUT, optedOutAmong } from '../contacts/index.ts';
import {
  authorOf,
  type By,
  type Content,
  instants,
  kept,
  list,
  type NewFact,
  newId,
  recordAll,
  type Scope,
  scheduleDue,
  type Target,
  type Tx,
  texts,
} from '../kernel/index.ts';
import { messageFact } from './activity.ts';
import { deliveryAt, newPeopleLane, watchAt } from './due-kinds.ts';
import { GROUP_GONE, type Why } from './journey.ts';
import { newToPaced } from './pacing/rows.ts';

export type Intent = {
  /** Drawn beforehand when the caller must store it; else left out. */
  messageId?: string;
  channelId: string;
  target: Target;
  content: Content;
  dueAt: Date;
  /** How late it may still go out, in ms after `dueAt`. */
  catchUpMs: number;
  source: 'api' | 'reminder' | 'consent';
  sourceId: string | null;
};

/**
 * Writes checked intents down in the caller's transaction, each with its delivery, due work and facts; returns
 * the ids of the messages. Those to people who have opted out fail at once, visibly, and so do those to groups
 * that are archived.
 */
export async function accept(
  tx: Tx,
  scope: Scope,
  intents: Intent[],
  optedOut: ReadonlySet<Intent> = new Set(),
): Promise<string[]> {
  if (intents.length === 0) return [];
  const groups = await groupFacts(tx, scope, intents);
  const rows = intents.map(intent => {
    const group = 'group_id' in intent.target ? groups.get(intent.target.group_id) : undefined;
    const failed = optedOut.has(intent) ? OPTED_OUT : group?.gone ? GROUP_GONE : undefined;
    return {
      intent,
      messageId: intent.messageId ?? newId(),
      deliveryId: newId(),
      recipientName: group?.name ?? null,
      failed,
    };
  });
  await insertMessages(tx, scope, rows);
  await insertDeliveries(tx, scope, rows);
  const alive = rows.filter(row => !row.failed);
  const strangers = await strangersAmong(tx, scope, intents);
  await scheduleDue(
    tx,
    alive.flatMap(({ intent, deliveryId }) => {
      const of = { workspaceId: scope.workspaceId, channelId: intent.channelId, deliveryId };
      const lane = strangers.has(intent) ? newPeopleLane(intent.channelId) : intent.channelId;
      return [{ ...deliveryAt(of, intent.dueAt), lane }, watchAt(of, catchUpUntil(intent))];
    }),
  );
  await recordAll(
    tx,
    rows.flatMap(row => factsOf(row).map(fact => ({ ...by(scope), ...fact }))),
  );
  return rows.map(row => row.messageId);
}

/** Those of the intents that go to people who have opted out; a group is not a person. */
export function intentsOptedOut(tx: Tx, scope: Scope, intents: Intent[]): Promise<Set<Intent>> {
  const recipients = intents.flatMap(intent =>
    'phone' in intent.target ? [{ workspaceId: scope.workspaceId, phone: intent.target.phone, intent }] : [],
  );
  return optedOutAmong(tx, recipients).then(found => new Set([...found].map(({ intent }) => intent)));
}

/** Those of the intents that go to people who are new to a paced channel. */
async function strangersAmong(tx: Tx, scope: Scope, intents: Intent[]): Promise<Set<Intent>> {
  const people = intents.flatMap(intent =>
    'phone' in intent.target
      ? [{ workspaceId: scope.workspaceId, channelId: intent.channelId, phone: intent.target.phone, intent }]
      : [],
  );
  const found = await newToPaced(tx, people);
  return new Set([...found].map(({ intent }) => intent));
}

type Row = {
  intent: Intent;
  messageId: string;
  deliveryId: string;
  recipientName: string | null;
  failed: Why | undefined;
};

function factsOf({ intent, messageId, deliveryId, failed }: Row): NewFact[] {
  const accepted = messageFact('message.accepted', messageId, {
    delivery_id: deliveryId,
    channel_id: intent.channelId,
    due_at: intent.dueAt.toISOString(),
    source: intent.source,
  });
  if (!failed) return [accepted];
  const { reason } = failed;
  return [accepted, messageFact('message.failed', messageId, { delivery_id: deliveryId, reason })];
}

function by(scope: Scope): By {
  return { workspaceId: scope.workspaceId, ...authorOf(scope) };
}

async function insertMessages(tx: Tx, scope: Scope, rows: Row[]): Promise<void> {
  await storeMessages(
    tx,
    scope.workspaceId,
    list(rows.map(({ messageId }) => messageId)),
    list(rows.map(({ intent }) => intent.channelId)),
    list(rows.map(({ intent }) => intent.source)),
    list(rows.map(({ intent }) => intent.sourceId)),
    texts(rows.map(({ intent }) => JSON.stringify(intent.content))),
    scope.actor.kind === 'user' ? scope.actor.id : null,
    scope.kernel.clock.now(),
  );
}

const storeMessages = kept(`
  insert into messages (workspace_id, id, channel_id, direction, source, source_id, content, created_by, created_at)
  select $1::uuid, id, channel_id, 'out', source, source_id, content, $7::uuid, $8::timestamptz
  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::jsonb[])
    as m(id, channel_id, source, source_id, content)`);

async function insertDeliveries(tx: Tx, scope: Scope, rows: Row[]): Promise<void> {
  await storeDeliveries(
    tx,
    scope.workspaceId,
    list(rows.map(({ deliveryId }) => deliveryId)),
    list(rows.map(({ messageId }) => messageId)),
    list(rows.map(({ intent }) => intent.channelId)),
    list(rows.map(({ intent: { target } }) => ('group_id' in target ? target.group_id : null))),
    texts(rows.map(({ intent: { target } }) => ('phone' in target ? target.phone : null))),
    texts(rows.map(({ recipientName }) => recipientName)),
    instants(rows.map(({ intent }) => intent.dueAt)),
    instants(rows.map(({ intent }) => catchUpUntil(intent))),
    texts(rows.map(({ failed }) => failed?.reason ?? null)),
    texts(rows.map(({ failed }) => failed?.detail ?? null)),
    scope.kernel.clock.now(),
  );
}

const storeDeliveries = kept(`
  insert into deliveries (workspace_id, id, message_id, channel_id, group_id, phone, recipient_name, due_at,
    catch_up_until, status, reason, detail, ended_at)
  select $1::uuid, id, message_id, channel_id, group_id, phone, recipient_name, to_timestamp(due / 1000.0::float8),
    to_timestamp(until / 1000.0::float8), case when reason is null then 'queued' else 'failed' end, reason, detail,
    case when reason is not null then $12::timestamptz end
  from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],
    $10::text[], $11::text[])
    as d(id, message_id, channel_id, group_id, phone, recipient_name, due, until, reason, detail)`);

type GroupFacts = { name: string | null; gone: boolean };

async function groupFacts(tx: Tx, scope: Scope, intents: Intent[]): Promise<Map<string, GroupFacts>> {
  const ids = intents.flatMap(({ target }) => ('group_id' in target ? [target.group_id] : []));
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('groups')
    .select(['id', 'subject', 'archived_at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', 'in', ids)
    .execute();
  return new Map(rows.map(row => [row.id, { name: row.subject, gone: row.archived_at !== null }]));
}

function catchUpUntil(intent: Intent): Date {
  return new Date(intent.dueAt.getTime() + intent.catchUpMs);
}
