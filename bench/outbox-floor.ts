import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { groupCommit, list, newId, texts } from '../src/kernel/index.ts';
import type { Meter } from './cpu.ts';
import type { FarEnd } from './http-adapter.ts';
import { acceptAll, measured, type Phase, type Way } from './outbox-round.ts';

type Due = { id: string; phone: string; body: string };
type Sent = { id: string; attempt: string; answer: string };

const AHEAD = 256;
const LEASE_MS = 30_000;

/**
 * What no program that stores the same rows can undercut by much: the shortest loop by hand that claims, commits each
 * attempt before its POST, stores the answers in batches and numbers the facts. No walls, no guards, no leases, no
 * journeys, no recovery, no hashes; all of it over three connections as the owner of the tables.
 */
export async function floorRound(
  url: string,
  way: Way,
  farEnd: FarEnd,
  meter: Meter,
  messages: number,
): Promise<Phase> {
  await acceptAll(way, messages);
  const clients = await Promise.all([connect(url), connect(url), connect(url)]);
  const [claims, answers, facts] = clients as [pg.Client, pg.Client, pg.Client];
  const phase = await measured('by hand, the same rows', meter, messages, async () => {
    const settling = groupCommit<Sent, undefined>(sent => settle(answers, way, sent), { max: 500 });
    const sealing = sealAll(facts, way);
    let [free, enough] = [AHEAD, 0];
    let goOn = () => {};
    const untilFree = (places: number) =>
      new Promise<void>(resolve => {
        [enough, goOn] = [places, resolve];
        if (free >= enough) resolve();
      });
    const land = () => {
      if (++free >= enough) goOn();
    };
    for (let open = messages; open > 0; await untilFree(AHEAD / 4)) {
      const due = await begin(claims, way, free);
      open -= due.length;
      free -= due.length;
      for (const one of due) void post(one).finally(land);
    }
    await untilFree(AHEAD);
    await settling.idle();
    await sealing;

    async function post({ id, attempt, phone, body }: Due & { attempt: string }): Promise<void> {
      const answer = await farEnd.post(attempt, phone, Buffer.from(body));
      void settling.add({ id, attempt, answer });
    }
  });
  await Promise.all(clients.map(client => client.end()));
  return phase;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    'set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off',
  );
  return client;
}

async function begin(client: pg.Client, way: Way, most: number): Promise<(Due & { attempt: string })[]> {
  const { workspaceId } = way.scope;
  const { rows } = await client.query<Due>({
    name: 'claim',
    text: `
      with chosen as (
        select workspace_id, kind, subject_id from due_work
        where kind = 'delivery' and lane = $1::uuid and due_at <= now()
        order by due_at limit $2 for update
      ), claimed as (
        update due_work w set claimed_by = $3::uuid, claimed_until = now() + $4::float8 * interval '1 millisecond'
        from chosen c where w.workspace_id = c.workspace_id and w.kind = c.kind and w.subject_id = c.subject_id
        returning w.workspace_id, w.subject_id
      )
      select d.id, d.phone, m.content #>> '{text,body}' as body from claimed c
      cross join lateral (
        select id, phone, workspace_id as w, message_id as m from deliveries
        where workspace_id = c.workspace_id and id = c.subject_id offset 0
      ) d
      cross join lateral (select content from messages where workspace_id = d.w and id = d.m offset 0) m`,
    values: [way.channelId, most, randomUUID(), LEASE_MS],
  });
  if (rows.length === 0) return [];
  const begun = rows.map(row => ({ ...row, attempt: newId() }));
  const ids = list(begun.map(({ id }) => id));
  const workspaces = list(begun.map(() => workspaceId));
  const attempts = list(begun.map(({ attempt }) => attempt));
  await client.query('begin');
  await run(
    client,
    'take',
    `delete from due_work using unnest($1::uuid[], $2::uuid[]) as i(w, id)
    where workspace_id = i.w and kind = 'delivery' and subject_id = i.id`,
    [workspaces, ids],
  );
  await run(
    client,
    'flying',
    `update deliveries set status = 'in_flight', in_flight_at = now(), recipients = 1
    from unnest($1::uuid[], $2::uuid[]) as i(w, id) where workspace_id = i.w and deliveries.id = i.id`,
    [workspaces, ids],
  );
  await run(
    client,
    'watch',
    `update due_work set due_at = now() + interval '65 seconds'
    from unnest($1::uuid[], $2::uuid[]) as i(w, id)
    where workspace_id = i.w and kind = 'delivery_watch' and subject_id = i.id`,
    [workspaces, ids],
  );
  await run(
    client,
    'attempt',
    `
    with named as (
      insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
      select $1, $2, a::text, d, a from unnest($3::uuid[], $4::uuid[]) as i(d, a)
    )
    insert into attempts (workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, payload, fence,
      deadline_at, status)
    select $1, a, d, $2, 1, a::text, t, convert_to(p, 'UTF8'), 1, now() + interval '1 minute', 'in_flight'
    from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) as i(d, a, t, p)`,
    [
      workspaceId,
      way.channelId,
      ids,
      attempts,
      texts(begun.map(({ phone }) => phone)),
      texts(begun.map(({ body }) => body)),
    ],
  );
  await client.query('commit');
  return begun;
}

async function settle(client: pg.Client, way: Way, sent: Sent[]): Promise<undefined[]> {
  const { workspaceId } = way.scope;
  const ids = list(sent.map(({ id }) => id));
  const workspaces = list(sent.map(() => workspaceId));
  await client.query('begin');
  await run(
    client,
    'answer',
    `update attempts set status = 'accepted', settled_at = now()
    from unnest($1::uuid[], $2::uuid[]) as i(w, id) where workspace_id = i.w and attempts.id = i.id`,
    [workspaces, list(sent.map(({ attempt }) => attempt))],
  );
  await run(
    client,
    'accepted',
    `update deliveries set status = 'accepted', accepted_at = now()
    from unnest($1::uuid[], $2::uuid[]) as i(w, id) where workspace_id = i.w and deliveries.id = i.id`,
    [workspaces, ids],
  );
  await run(
    client,
    'unwatch',
    `delete from due_work using unnest($1::uuid[], $2::uuid[]) as i(w, id)
    where workspace_id = i.w and kind = 'delivery_watch' and subject_id = i.id`,
    [workspaces, ids],
  );
  await client.query('commit');
  return sent.map(() => undefined);
}

/** Numbers the facts of acceptance, a thousand at a time, without the chain of hashes. */
async function sealAll(client: pg.Client, { scope: { workspaceId } }: Way): Promise<void> {
  for (let seq = 0, sealed = -1; sealed !== 0; seq += sealed) {
    const { rows } = await run<{ sealed: number }>(
      client,
      'seal',
      `
      with p as (
        delete from activity_pending where workspace_id = $1 and id in
          (select id from activity_pending where workspace_id = $1 order by id limit 10)
        returning activity_ids
      ), s as (
        insert into activity_seals (workspace_id, seq, activity_id, hash)
        select $1, $2 + row_number() over (), id, '\\x00' from p, unnest(p.activity_ids) as id
        returning 1
      )
      select count(*)::int as sealed from s`,
      [workspaceId, seq],
    );
    sealed = rows[0]?.sealed ?? 0;
  }
}

function run<Row extends pg.QueryResultRow>(
  client: pg.Client,
  name: string,
  text: string,
  values: unknown[],
) {
  return client.query<Row>({ name, text, values });
}
