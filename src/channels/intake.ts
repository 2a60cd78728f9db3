import { newId, type Tx, type Vault } from '../kernel/index.ts';
import type { RawInbound } from './adapters/contract.ts';
import type { Place } from './place.ts';

/**
 * Stores raw inbound payloads, each key of a channel once; returns those that are new. The caller's
 * transaction may hold more, such as the ratchet that opened them.
 */
export async function takeIn(tx: Tx, place: Place, vault: Vault, raw: RawInbound[]): Promise<RawInbound[]> {
  if (raw.length === 0) return [];
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
  if (fresh.length === 0) return [];
  const received_at = place.kernel.clock.now();
  await tx
    .insertInto('intake')
    .values(
      fresh.map(({ one, intakeId }) => ({
        workspace_id,
        id: intakeId,
        channel_id,
        provider_key: one.key,
        kind: one.kind,
        ciphertext: vault.seal(one.payload, seal(place, one.key)),
        received_at,
      })),
    )
    .execute();
  return fresh.map(({ one }) => one);
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

function seal(place: Place, key: string): string {
  return `intake/${place.channelId}/${key}`;
}
