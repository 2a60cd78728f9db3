import { sql } from 'kysely';
import type { Driven, Wire } from '../channels/index.ts';
import {
  type Content,
  type DueItem,
  type Kernel,
  newId,
  scheduleDue,
  type Tx,
  takeDue,
} from '../kernel/index.ts';
import { watchAt } from './due-kinds.ts';
import { advance, GROUP_GONE, type Journey, MISSED } from './journey.ts';
import { type Change, type Locked, lockJourneys, writeJourneys } from './journeys.ts';

/** An attempt that is committed as in flight and goes to the wire next. */
export type Begun = {
  workspaceId: string;
  channelId: string;
  deliveryId: string;
  attemptId: string;
  driven: Driven;
  wire: Wire;
  deadline: Date;
};

export type Picked = { item: DueItem; driven: Driven };

/** Longer than the deadline, so that an adapter that answers at the last moment is still heard. */
export const WATCH_GRACE_MS = 5_000;

/**
 * One transaction for all that enters the wire now: claims are taken, each delivery is looked at again,
 * and an attempt is written with our own provider id and the very bytes that will be sent. What was
 * cancelled or moved meanwhile is left alone; what is too late is missed.
 */
export function begin(kernel: Kernel, picked: Picked[], deadlineMs: number): Promise<Begun[]> {
  return kernel.database.inEngine('messages.begin', async tx => {
    const held = picked.filter(({ driven }) => driven.held());
    const taken = new Set(
      await takeDue(
        tx,
        kernel.node.bootId,
        held.map(({ item }) => item),
      ),
    );
    const mine = held.filter(({ item }) => taken.has(item));
    const keys = mine.map(({ item }) => ({ workspaceId: item.workspaceId, deliveryId: item.subjectId }));
    const locked = await lockJourneys(tx, keys);
    const letters = await readLetters(tx, keys);
    const now = kernel.clock.now();
    const deadline = new Date(now.getTime() + deadlineMs);
    const begun: Begun[] = [];
    const changes: Change[] = [];
    for (const { item, driven } of mine) {
      const delivery = locked.get(item.subjectId);
      const letter = letters.get(item.subjectId);
      if (!delivery || !letter || delivery.journey.status !== 'queued') continue;
      const refused = refusal(delivery.journey, letter, now);
      if (refused) {
        changes.push({ locked: delivery, next: refused });
        continue;
      }
      begun.push(attemptOf(delivery, letter, driven, deadline));
      const onTheWire = advance(delivery.journey, 'in_flight', now);
      const recipients = letter.groupSize === null ? 1 : Math.max(0, letter.groupSize - 1);
      changes.push({ locked: delivery, next: { ...onTheWire, recipients } });
    }
    await insertAttempts(tx, begun, letters);
    await writeJourneys(tx, changes);
    const watchFrom = new Date(deadline.getTime() + WATCH_GRACE_MS);
    await scheduleDue(
      tx,
      begun.map(attempt => watchAt(attempt, watchFrom)),
    );
    await endWatch(
      tx,
      changes.filter(({ next }) => next.endedAt !== null).map(({ locked }) => locked),
    );
    return begun;
  });
}

/** Takes the watch off deliveries that are settled. */
export async function endWatch(tx: Tx, of: { workspaceId: string; deliveryId: string }[]): Promise<void> {
  if (of.length === 0) return;
  const keys = JSON.stringify(of.map(({ workspaceId, deliveryId }) => ({ w: workspaceId, d: deliveryId })));
  await sql`
    delete from due_work using json_to_recordset(${keys}::json) as k(w uuid, d uuid)
    where workspace_id = k.w and kind = 'delivery_watch' and subject_id = k.d
  `.execute(tx);
}

/** What there is to send, and to whom. */
type Letter = {
  content: Content;
  phone: string | null;
  groupProviderId: string | null;
  groupSize: number | null;
  groupGone: boolean;
  /** By the database's clock. */
  late: boolean;
  attempts: number;
};

async function readLetters(
  tx: Tx,
  keys: { workspaceId: string; deliveryId: string }[],
): Promise<Map<string, Letter>> {
  if (keys.length === 0) return new Map();
  const wanted = JSON.stringify(keys.map(key => ({ w: key.workspaceId, d: key.deliveryId })));
  const { rows } = await sql<Letter & { id: string }>`
    select d.id, m.content, d.phone, g.provider_id as "groupProviderId", g.size as "groupSize",
      (d.group_id is not null and (g.id is null or g.archived_at is not null)) as "groupGone",
      d.catch_up_until < now() as late,
      case when d.in_flight_at is null then 0 else (
        select count(*)::int from attempts a where a.workspace_id = d.workspace_id and a.delivery_id = d.id
      ) end as attempts
    from json_to_recordset(${wanted}::json) as k(w uuid, d uuid)
    join deliveries d on d.workspace_id = k.w and d.id = k.d
    join messages m on m.workspace_id = d.workspace_id and m.id = d.message_id
    left join groups g on g.workspace_id = d.workspace_id and g.id = d.group_id
  `.execute(tx);
  return new Map(rows.map(row => [row.id, row]));
}

function refusal(journey: Journey, letter: Letter, now: Date): Journey | undefined {
  if (letter.late) return advance(journey, 'missed', now, MISSED);
  if (letter.groupGone) return advance(journey, 'failed', now, GROUP_GONE);
  return undefined;
}

function attemptOf(delivery: Locked, letter: Letter, driven: Driven, deadline: Date): Begun {
  const { adapter } = driven;
  const target =
    letter.groupProviderId === null
      ? ({ kind: 'phone', phone: letter.phone ?? '' } as const)
      : ({ kind: 'group', providerId: letter.groupProviderId } as const);
  return {
    workspaceId: delivery.workspaceId,
    channelId: delivery.channelId,
    deliveryId: delivery.deliveryId,
    attemptId: newId(),
    driven,
    wire: {
      providerId: adapter.newProviderId(),
      to: adapter.address(target),
      payload: adapter.encode(letter.content),
    },
    deadline,
  };
}

async function insertAttempts(tx: Tx, begun: Begun[], letters: Map<string, Letter>): Promise<void> {
  if (begun.length === 0) return;
  const rows = begun.map(attempt => ({
    workspace_id: attempt.workspaceId,
    id: attempt.attemptId,
    delivery_id: attempt.deliveryId,
    channel_id: attempt.channelId,
    number: (letters.get(attempt.deliveryId)?.attempts ?? 0) + 1,
    provider_id: attempt.wire.providerId,
    wire_to: attempt.wire.to,
    payload: Buffer.from(attempt.wire.payload).toString('hex'),
    fence: attempt.driven.fence,
    deadline_at: attempt.deadline,
  }));
  await sql`
    with a as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as a(
        workspace_id uuid, id uuid, delivery_id uuid, channel_id uuid, number smallint, provider_id text, wire_to text,
        payload text, fence bigint, deadline_at timestamptz)
    ), ids as (
      insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
      select workspace_id, channel_id, provider_id, delivery_id, id from a
    )
    insert into attempts (workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, payload, fence,
      deadline_at, status)
    select workspace_id, id, delivery_id, channel_id, number, provider_id, wire_to, decode(payload, 'hex'), fence,
      deadline_at, 'in_flight'
    from a
  `.execute(tx);
}
