import { sql } from 'kysely';
import { pacedKinds } from '../../channels/index.ts';
import { instants, kept, list, type Tx, texts } from '../../kernel/index.ts';
import { DELIVERY, newPeopleLane } from '../due-kinds.ts';
import type { Budget } from './budget.ts';
import type { Settings } from './limits.ts';

export type Place = { workspaceId: string; channelId: string };

/** All that decides about the pace of a channel. */
export type PaceRow = Place & {
  /** The number that the budget belongs to; null = none was linked yet. */
  phone: string | null;
  settings: Settings;
  version: number;
  budget: Budget;
  /** Also one that may be over: that is seen by the first message after it. */
  restriction: { reason: string; since: number; until: number } | null;
  probe: { id: string; status: string } | null;
};

type Row = {
  workspace_id: string;
  id: string;
  phone: string | null;
  budget_phone: string | null;
  paired_at: Date | null;
  restriction_reason: string | null;
  restricted_at: Date | null;
  restricted_until: Date | null;
  version: number | null;
  messages_per_minute: number | null;
  groups_per_minute: number | null;
  new_people_per_day: number | null;
  warm_up_days: number | null;
  warm_since: Date | null;
  messages_at: Date | null;
  groups_at: Date | null;
  day_from: Date | null;
  new_people: number | null;
  probe_id: string | null;
  probe_status: string | null;
};

/** By channel id. A channel without a budget, or with that of another number, gets a new one from its pairing on. */
export async function readPaces(tx: Tx, of: Place[], now: number): Promise<Map<string, PaceRow>> {
  if (of.length === 0) return new Map();
  const places = new Map(of.map(({ workspaceId, channelId }) => [channelId, workspaceId]));
  const rows = await read(tx, list([...places.values()]), list([...places.keys()]));
  return new Map(rows.map(row => [row.id, paceOf(row, now)]));
}

const read = kept<Row>(`
  select c.workspace_id, c.id, c.phone, c.restriction_reason, c.restricted_at, c.restricted_until, s.version, s.messages_per_minute, s.groups_per_minute,
    s.new_people_per_day, s.warm_up_days, b.phone as budget_phone, b.warm_since, b.messages_at, b.groups_at, b.day_from,
    b.new_people, b.probe_id, d.status as probe_status,
    case p.step when 'done' then p.step_at end as paired_at
  from unnest($1::uuid[], $2::uuid[]) as k(w, c)
  join channels c on c.workspace_id = k.w and c.id = k.c
  left join pacing_settings s on s.workspace_id = c.workspace_id and s.channel_id = c.id
  left join pacing_budgets b on b.workspace_id = c.workspace_id and b.channel_id = c.id
  left join pairings p on p.workspace_id = c.workspace_id and p.channel_id = c.id
  left join deliveries d on d.workspace_id = c.workspace_id and d.id = b.probe_id`);

function paceOf(row: Row, now: number): PaceRow {
  const own = row.warm_since !== null && row.budget_phone === row.phone;
  return {
    workspaceId: row.workspace_id,
    channelId: row.id,
    phone: row.phone,
    settings: {
      messages_per_minute: row.messages_per_minute,
      groups_per_minute: row.groups_per_minute,
      new_people_per_day: row.new_people_per_day,
      warm_up_days: row.warm_up_days,
    },
    version: row.version ?? 0,
    budget: {
      warmSince: (own ? row.warm_since : row.paired_at)?.getTime() ?? now,
      messagesAt: row.messages_at?.getTime() ?? null,
      groupsAt: row.groups_at?.getTime() ?? null,
      dayFrom: row.day_from?.getTime() ?? null,
      newPeople: row.new_people ?? 0,
    },
    restriction:
      row.restricted_until && row.restricted_at
        ? {
            reason: row.restriction_reason ?? '',
            since: row.restricted_at.getTime(),
            until: row.restricted_until.getTime(),
          }
        : null,
    probe: row.probe_id === null ? null : { id: row.probe_id, status: row.probe_status ?? '' },
  };
}

/** In the transaction of what was spent. Only who drives the channel does this, so nobody else writes meanwhile. */
export async function writeBudgets(tx: Tx, paces: PaceRow[]): Promise<void> {
  if (paces.length === 0) return;
  const at = (of: (budget: Budget) => number | null) =>
    instants(paces.map(({ budget }) => (of(budget) === null ? null : new Date(of(budget) ?? 0))));
  await write(
    tx,
    list(paces.map(pace => pace.workspaceId)),
    list(paces.map(pace => pace.channelId)),
    texts(paces.map(pace => pace.phone)),
    at(budget => budget.warmSince),
    at(budget => budget.messagesAt),
    at(budget => budget.groupsAt),
    at(budget => budget.dayFrom),
    list(paces.map(({ budget }) => budget.newPeople)),
    list(paces.map(({ probe }) => probe?.id ?? null)),
  );
}

const write = kept(`
  insert into pacing_budgets (workspace_id, channel_id, phone, warm_since, messages_at, groups_at, day_from, new_people,
    probe_id)
  select w, c, phone, to_timestamp(warm / 1000.0::float8), to_timestamp(messages / 1000.0::float8),
    to_timestamp(groups / 1000.0::float8), to_timestamp(day / 1000.0::float8), people, probe
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[],
    $9::uuid[]) as b(w, c, phone, warm, messages, groups, day, people, probe)
  on conflict (workspace_id, channel_id) do update set phone = excluded.phone, warm_since = excluded.warm_since,
    messages_at = excluded.messages_at, groups_at = excluded.groups_at, day_from = excluded.day_from,
    new_people = excluded.new_people, probe_id = excluded.probe_id`);

/** How many of the channel's deliveries are due, or about to enter the wire. */
export async function countDue(tx: Tx, { workspaceId, channelId }: Place): Promise<number> {
  const row = await tx
    .selectFrom('due_work')
    .select(eb => eb.fn.countAll<number>().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where('kind', '=', DELIVERY)
    .where('lane', 'in', [channelId, newPeopleLane(channelId)])
    .where('due_at', '<=', sql<Date>`now()`)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

export type Person = Place & { phone: string };

/** Those who are new to their channel. */
export async function newAmong<T extends Person>(tx: Tx, people: T[]): Promise<Set<T>> {
  if (people.length === 0) return new Set();
  const rows = await unknown(tx, ...columnsOf(people));
  return new Set(rows.flatMap(row => people[row.n - 1] ?? []));
}

/** The same, without channels that are not paced. */
export async function newToPaced<T extends Person>(tx: Tx, people: T[]): Promise<Set<T>> {
  const kinds = pacedKinds();
  if (people.length === 0 || kinds.length === 0) return new Set();
  const rows = await unknownToPaced(tx, ...columnsOf(people), texts(kinds));
  return new Set(rows.flatMap(row => people[row.n - 1] ?? []));
}

const UNKNOWN = `
  select i.n::int as n from unnest($1::uuid[], $2::uuid[], $3::text[]) with ordinality as i(w, c, phone, n)
  where not exists (select from known_people k
    where k.workspace_id = i.w and k.channel_id = i.c and k.phone = i.phone)`;

const unknown = kept<{ n: number }>(UNKNOWN);

const unknownToPaced = kept<{ n: number }>(`${UNKNOWN} and exists (select from channels c
  where c.workspace_id = i.w and c.id = i.c and c.kind = any($4::text[]))`);

/** From now on they are known to their channels. */
export async function getToKnow(tx: Tx, people: Person[]): Promise<void> {
  if (people.length > 0) await remember(tx, ...columnsOf(people));
}

const remember = kept(`
  insert into known_people (workspace_id, channel_id, phone)
  select distinct w, c, phone from unnest($1::uuid[], $2::uuid[], $3::text[]) as i(w, c, phone)
  on conflict do nothing`);

function columnsOf(people: Person[]): [string, string, string] {
  return [
    list(people.map(({ workspaceId }) => workspaceId)),
    list(people.map(({ channelId }) => channelId)),
    texts(people.map(({ phone }) => phone)),
  ];
}
