import { sql } from 'kysely';
import { newId, type Tx, type Vault } from '../kernel/index.ts';
import type { RawInbound } from './adapters/contract.ts';
import type { Place } from './place.ts';

/**
 * Stores raw inbound payloads, each key of a channel once, and what of them is to be handed on. Returns whether
 * any was new. The caller's transaction may hold more, such as the ratchet that opened them.
 */
export async function takeIn(tx: Tx, place: Place, vault: Vault, raw: RawInbound[]): Promise<boolean> {
  if (raw.length === 0) return false;
  const { workspaceId: workspace_id, channelId: channel_id } = place;
  const rows = raw.map(one => ({ one, intakeId: newId() }));
  const taken = await tx
    .insertInto('intake_keys')
    .values(
      rows.map(({ one, intakeId }) => ({
        workspace_id,
        channel_id,
        provider_key: one.key,
        intake_id: intakeId,
      })),
    )
    .onConflict(conflict => conflict.doNothing())
    .returning('intake_id')
    .execute();
  const ids = new Set(taken.map(row => row.intake_id));
  const fresh = rows.filter(({ intakeId }) => ids.has(intakeId));
  if (fresh.length === 0) return false;
  const received_at = place.kernel.clock.now();
  await tx
    .insertInto('intake')
    .values(
      fresh.map(({ one, intakeId }) => ({
        workspace_id,
        id: intakeId,
        channel_id,
        provider_key: one.key,
        message_key: one.standsFor ?? one.key,
        kind: one.kind,
        ciphertext: vault.seal(one.payload, seal(place, one.key)),
        fingerprint: one.content ? vault.fingerprint(one.content) : null,
        received_at,
      })),
    )
    .execute();
  await tx
    .insertInto('intake_pending')
    .values(fresh.map(({ intakeId }) => ({ workspace_id, channel_id, intake_id: intakeId })))
    .execute();
  return true;
}

/** The stored payload of a key; undefined when it never came. */
export async function readIntake(
  tx: Tx,
  place: Place,
  vault: Vault,
  key: string,
): Promise<Buffer | undefined> {
  const row = await tx
    .selectFrom('intake_keys as k')
    .innerJoin('intake as i', join =>
      join.onRef('i.workspace_id', '=', 'k.workspace_id').onRef('i.id', '=', 'k.intake_id'),
    )
    .select('i.ciphertext')
    .where('k.workspace_id', '=', place.workspaceId)
    .where('k.channel_id', '=', place.channelId)
    .where('k.provider_key', '=', key)
    .executeTakeFirst();
  return row && vault.open(row.ciphertext, seal(place, key));
}

/** Something stored that has not been taken by the rooms to the right. */
export type Waiting = {
  id: string;
  /** The payload is read only when it is asked for: one that cannot be read must not hide the others. */
  open(): RawInbound;
  /** A placeholder whose message is here by now: there is nothing left to hand on. */
  isFilled: boolean;
};

/** What waits to be handed on, oldest first, from behind the id `after`. */
export async function readWaiting(
  tx: Tx,
  place: Place,
  vault: Vault,
  after: string,
  limit: number,
): Promise<Waiting[]> {
  const { rows } = await sql<{
    id: string;
    provider_key: string;
    message_key: string;
    kind: string;
    ciphertext: Buffer;
    is_filled: boolean;
  }>`
    select i.id, i.provider_key, i.message_key, i.kind, i.ciphertext,
      i.message_key <> i.provider_key and exists (
        select from intake_keys k
        where k.workspace_id = i.workspace_id and k.channel_id = i.channel_id and k.provider_key = i.message_key
      ) as is_filled
    from (
      select workspace_id, intake_id from intake_pending
      where workspace_id = ${place.workspaceId} and channel_id = ${place.channelId} and intake_id > ${after}
      order by intake_id limit ${limit}
    ) p
    join intake i on i.workspace_id = p.workspace_id and i.id = p.intake_id
    order by i.id
  `.execute(tx);
  return rows.map(row => ({
    id: row.id,
    isFilled: row.is_filled,
    open: () => ({
      key: row.provider_key,
      kind: row.kind,
      payload: vault.open(row.ciphertext, seal(place, row.provider_key)),
      standsFor: row.message_key === row.provider_key ? undefined : row.message_key,
    }),
  }));
}

/** The rooms to the right have taken these. */
export async function forgetWaiting(tx: Tx, place: Place, ids: string[]): Promise<void> {
  await tx
    .deleteFrom('intake_pending')
    .where('workspace_id', '=', place.workspaceId)
    .where('channel_id', '=', place.channelId)
    .where('intake_id', 'in', ids)
    .execute();
}

function seal(place: Place, key: string): string {
  return `intake/${place.channelId}/${key}`;
}
