import { sql } from 'kysely';
import type { LateAnswer, SendOutcome } from '../channels/index.ts';
import {
  dropDue,
  type GroupCommit,
  groupCommit,
  type Kernel,
  scheduleDue,
  type Tx,
} from '../kernel/index.ts';
import { deliveryAt, watchAt, watchKey } from './due-kinds.ts';
import { type Journey, judgeAttempt, settle } from './journey.ts';
import { type Change, idsBetween, lockJourneys, writeJourneys } from './journeys.ts';

/** The answer to one attempt, from the wire or late. */
export type Settlement = {
  workspaceId: string;
  channelId: string;
  deliveryId: string;
  attemptId: string;
  outcome: SendOutcome;
  answerMeans: 'sent' | 'accepted';
};

export type Settling = GroupCommit<Settlement, void>;

const BATCH = 500;

/** Answers are written in batches: one commit for all that came while the one before was written. */
export function createSettling(kernel: Kernel): Settling {
  return groupCommit(
    async settlements => {
      await kernel.database.inEngine('messages.settle', tx => settleAll(tx, settlements, kernel.clock.now()));
      return settlements.map(() => undefined);
    },
    { max: BATCH },
  );
}

/** Finds the attempts that late answers belong to; answers to what is not ours are dropped. */
export function findLate(
  kernel: Kernel,
  of: { workspaceId: string; channelId: string; answerMeans: 'sent' | 'accepted' },
  answers: LateAnswer[],
): Promise<Settlement[]> {
  return kernel.database.inEngine('messages.late', async tx => {
    const rows = await tx
      .selectFrom('provider_ids')
      .select(['provider_id', 'delivery_id', 'attempt_id'])
      .where('workspace_id', '=', of.workspaceId)
      .where('channel_id', '=', of.channelId)
      .where(
        'provider_id',
        'in',
        answers.map(answer => answer.providerId),
      )
      .execute();
    const known = new Map(rows.map(row => [row.provider_id, row]));
    return answers.flatMap(({ providerId, outcome }) => {
      const row = known.get(providerId);
      return row ? [{ ...of, deliveryId: row.delivery_id, attemptId: row.attempt_id, outcome }] : [];
    });
  });
}

async function settleAll(tx: Tx, all: Settlement[], now: Date): Promise<void> {
  const settlements = strongestOf(all);
  const locked = await lockJourneys(tx, settlements);
  const settled = await settleAttempts(tx, settlements);
  const journeys = new Map<string, Journey>();
  for (const { deliveryId, attemptId, outcome, answerMeans } of settlements) {
    const before = journeys.get(deliveryId) ?? locked.get(deliveryId)?.journey;
    if (before && settled.has(attemptId)) journeys.set(deliveryId, settle(before, outcome, answerMeans, now));
  }
  const changes = [...journeys].flatMap(([deliveryId, next]): Change[] => {
    const of = locked.get(deliveryId);
    return of ? [{ locked: of, next }] : [];
  });
  await writeJourneys(tx, changes);
  const queued = changes.filter(({ next }) => next.status === 'queued');
  await scheduleDue(
    tx,
    queued.flatMap(({ locked: of, next }) => [deliveryAt(of, next.dueAt), watchAt(of, next.catchUpUntil)]),
  );
  const ended = changes.filter(({ next }) => next.status !== 'queued' && next.status !== 'in_flight');
  await dropDue(
    tx,
    ended.map(({ locked: of }) => watchKey(of)),
  );
}

const STRENGTH = { unknown: 0, deferred: 1, refused: 2, accepted: 3 } as const;

/** One answer per attempt: the own and the late one may meet in a batch. */
function strongestOf(settlements: Settlement[]): Settlement[] {
  const best = new Map<string, Settlement>();
  for (const settlement of settlements) {
    const known = best.get(settlement.attemptId);
    if (!known || STRENGTH[settlement.outcome.outcome] > STRENGTH[known.outcome.outcome])
      best.set(settlement.attemptId, settlement);
  }
  return [...best.values()];
}

/**
 * An attempt is settled once; only `unknown` gives way to evidence, and only to evidence. Answers the
 * ids of those that changed. The row is the attempt's own, begun under one fence, so whoever brings
 * its answer may write it, even a node that has lost the channel since.
 */
async function settleAttempts(tx: Tx, settlements: Settlement[]): Promise<Set<string>> {
  const rows = settlements.map(({ workspaceId, channelId, deliveryId, attemptId, outcome }) => ({
    workspace_id: workspaceId,
    channel_id: channelId,
    delivery_id: deliveryId,
    id: attemptId,
    ...judgeAttempt(outcome),
    provider_id: outcome.outcome === 'accepted' ? outcome.providerId : null,
  }));
  const { rows: changed } = await sql<{ id: string }>`
    with s as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json) as s(
        workspace_id uuid, channel_id uuid, delivery_id uuid, id uuid, status text, code text, detail text,
        provider_id text)
    ), named as (
      insert into provider_ids (workspace_id, channel_id, provider_id, delivery_id, attempt_id)
      select workspace_id, channel_id, provider_id, delivery_id, id from s where provider_id is not null
      on conflict do nothing
    )
    update attempts a set status = s.status, code = s.code, detail = s.detail, settled_at = now(),
      provider_id = coalesce(s.provider_id, a.provider_id)
    from s
    where a.workspace_id = s.workspace_id and a.id = s.id
      and ${idsBetween(
        'a',
        settlements.map(settlement => settlement.attemptId),
      )}
      and (a.status = 'in_flight' or (a.status = 'unknown' and s.status in ('accepted', 'refused')))
    returning a.id
  `.execute(tx);
  return new Set(changed.map(row => row.id));
}
