import { sql } from 'kysely';
import type { Driven, Wire, WireTarget } from '../channels/index.ts';
import {
  type Content,
  type DueItem,
  dropDue,
  type Kernel,
  newId,
  scheduleDue,
  type Tx,
  takeDue,
} from '../kernel/index.ts';
import { watchAt, watchKey } from './due-kinds.ts';
import { advance, GROUP_GONE, type Journey, MISSED } from './journey.ts';
import { type Change, idsBetween, type Locked, lockJourneys, writeJourneys } from './journeys.ts';

/** An attempt that is committed as in flight and goes to the wire next. */
export type Begun = {
  workspaceId: string;
  channelId: string;
  deliveryId: string;
  attemptId: string;
  driven: Driven;
  wire: Wire;
  /** Not to be sent before. */
  dueAt: Date;
  deadline: Date;
};

export type Picked = { item: DueItem; driven: Driven };

/** Longer than the deadline, so that an adapter that answers at the last moment is still heard. */
export const WATCH_GRACE_MS = 5_000;

/**
 * One transaction for all that enters the wire in this moment: claims are taken, each delivery is looked at again,
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
    const letters = await readLetters(tx, [...locked.values()]);
    const now = kernel.clock.now();
    const deadline = new Date(now.getTime() + deadlineMs);
    const begun: Begun[] = [];
    const changes: Change[] = [];
    for (const { item, driven } of mine) {
      const delivery = locked.get(item.subjectId);
      const letter = letters.get(item.subjectId);
      if (!delivery || !letter || delivery.journey.status !== 'queued') continue;
      const refused = refusal(delivery, letter, now);
      if (refused) {
        changes.push({ locked: delivery, next: refused });
        continue;
      }
      begun.push(attemptOf(delivery, letter, driven, deadline));
      const { dueAt } = delivery.journey;
      const onTheWire = advance(delivery.journey, 'in_flight', dueAt > now ? dueAt : now);
      const recipients = letter.group ? Math.max(0, letter.group.size - 1) : 1;
      changes.push({ locked: delivery, next: { ...onTheWire, recipients } });
    }
    await insertAttempts(tx, begun, letters);
    await writeJourneys(tx, changes);
    const watchFrom = new Date(deadline.getTime() + WATCH_GRACE_MS);
    await scheduleDue(
      tx,
      begun.map(attempt => watchAt(attempt, watchFrom)),
    );
    await dropDue(
      tx,
      changes.filter(({ next }) => next.endedAt !== null).map(({ locked: of }) => watchKey(of)),
    );
    return begun;
  });
}

/** What there is to send. */
type Letter = {
  content: Content;
  group: { providerId: string; size: number; archived: boolean } | null;
  /** How many attempts there were before. */
  attempts: number;
};

async function readLetters(tx: Tx, deliveries: Locked[]): Promise<Map<string, Letter>> {
  if (deliveries.length === 0) return new Map();
  const wanted = deliveries.map(of => ({
    w: of.workspaceId,
    d: of.deliveryId,
    m: of.messageId,
    g: of.groupId,
  }));
  const { rows } = await sql<{
    id: string;
    content: Content;
    provider_id: string | null;
    size: number;
    archived: boolean;
  }>`
    select k.d as id, m.content, g.provider_id, g.size, g.archived_at is not null as archived
    from json_to_recordset(${JSON.stringify(wanted)}::json) as k(w uuid, d uuid, m uuid, g uuid)
    join messages m on m.workspace_id = k.w and m.id = k.m
    left join groups g on g.workspace_id = k.w and g.id = k.g
    where ${idsBetween(
      'm',
      deliveries.map(of => of.messageId),
    )}
  `.execute(tx);
  const earlier = await countAttempts(
    tx,
    deliveries.filter(of => of.journey.inFlightAt !== null),
  );
  return new Map(
    rows.map(({ id, content, provider_id: providerId, size, archived }) => [
      id,
      {
        content,
        group: providerId === null ? null : { providerId, size, archived },
        attempts: earlier.get(id) ?? 0,
      },
    ]),
  );
}

async function countAttempts(tx: Tx, deliveries: Locked[]): Promise<Map<string, number>> {
  if (deliveries.length === 0) return new Map();
  const wanted = deliveries.map(of => ({ w: of.workspaceId, d: of.deliveryId }));
  const { rows } = await sql<{ d: string; count: number }>`
    select k.d, count(*)::int as count from json_to_recordset(${JSON.stringify(wanted)}::json) as k(w uuid, d uuid)
    join attempts a on a.workspace_id = k.w and a.delivery_id = k.d group by k.d
  `.execute(tx);
  return new Map(rows.map(row => [row.d, row.count]));
}

function refusal(delivery: Locked, letter: Letter, now: Date): Journey | undefined {
  if (delivery.late) return advance(delivery.journey, 'missed', now, MISSED);
  const gone = delivery.groupId !== null && (letter.group === null || letter.group.archived);
  return gone ? advance(delivery.journey, 'failed', now, GROUP_GONE) : undefined;
}

function attemptOf(delivery: Locked, letter: Letter, driven: Driven, deadline: Date): Begun {
  const { adapter } = driven;
  const target: WireTarget = letter.group
    ? { kind: 'group', providerId: letter.group.providerId }
    : { kind: 'phone', phone: delivery.phone ?? '' };
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
    dueAt: delivery.journey.dueAt,
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
