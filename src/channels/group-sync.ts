import { sql } from 'kysely';
import { type Actor, hint, type NewFact, newId, recordAll, type Tx } from '../kernel/index.ts';
import { channelFact } from './activity.ts';
import type { GroupSnapshot } from './adapters/contract.ts';
import { fenced, type Place, unfenced } from './place.ts';

type Known = { id: string; provider_id: string; subject: string; archived_at: Date | null };

const SYSTEM: Actor = { kind: 'system' };

/** The provider's complete list: new groups come, gone ones are archived, and those that are back keep their id. */
export function syncAllGroups(place: Place, all: GroupSnapshot[]): Promise<void> {
  return fenced(place, 'channels.sync_groups', async tx => {
    const known = await lockKnown(tx, place);
    const present = new Set(all.map(({ providerId }) => providerId));
    await writeGroups(tx, place, known, all);
    await archive(
      tx,
      place,
      known.filter(group => !present.has(group.provider_id)),
    );
  });
}

/** What a notification told: some groups changed or came, others are gone. */
export function syncSomeGroups(place: Place, changed: GroupSnapshot[], gone: string[]): Promise<void> {
  return fenced(place, 'channels.sync_groups', async tx => {
    const known = await lockKnown(tx, place);
    await writeGroups(tx, place, known, changed);
    await archive(
      tx,
      place,
      known.filter(group => gone.includes(group.provider_id)),
    );
  });
}

/** No number is linked any more, so the channel is in no group; a later pairing brings them back. */
export async function archiveAllGroups(tx: Tx, place: Place): Promise<void> {
  await archive(tx, place, await lockKnown(tx, place));
}

/** What the adapter stored with a group to be able to send without asking the provider. */
export function groupMetadata(place: Place, providerId: string): Promise<unknown> {
  return unfenced(place, 'channels.group_metadata', async tx => {
    const row = await tx
      .selectFrom('groups')
      .select('metadata')
      .where('workspace_id', '=', place.workspaceId)
      .where('channel_id', '=', place.channelId)
      .where('provider_id', '=', providerId)
      .executeTakeFirst();
    return row?.metadata ?? undefined;
  });
}

function lockKnown(tx: Tx, place: Place): Promise<Known[]> {
  return tx
    .selectFrom('groups')
    .select(['id', 'provider_id', 'subject', 'archived_at'])
    .where('workspace_id', '=', place.workspaceId)
    .where('channel_id', '=', place.channelId)
    .orderBy('id')
    .forUpdate()
    .execute();
}

async function writeGroups(tx: Tx, place: Place, known: Known[], groups: GroupSnapshot[]): Promise<void> {
  if (groups.length === 0) return;
  const before = new Map(known.map(group => [group.provider_id, group]));
  const rows = groups.map(group => ({
    id: before.get(group.providerId)?.id ?? newId(),
    provider_id: group.providerId,
    subject: group.subject,
    size: group.size,
    metadata: group.metadata,
  }));
  await sql`
    insert into groups (workspace_id, id, channel_id, provider_id, subject, size, metadata, synced_at)
    select ${place.workspaceId}::uuid, g.id, ${place.channelId}::uuid, g.provider_id, g.subject, g.size, g.metadata,
      ${place.kernel.clock.now()}::timestamptz
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as g(id uuid, provider_id text, subject text, size int, metadata jsonb)
    on conflict (workspace_id, channel_id, provider_id) do update set subject = excluded.subject,
      size = excluded.size, metadata = excluded.metadata, synced_at = excluded.synced_at, archived_at = null
  `.execute(tx);
  const facts = rows.flatMap(({ id, provider_id, subject }) => {
    const old = before.get(provider_id);
    const payload = { channel_id: place.channelId, subject };
    if (!old || old.archived_at) return [channelFact('group.added', id, payload)];
    return old.subject === subject ? [] : [channelFact('group.renamed', id, payload)];
  });
  await tell(tx, place, facts);
}

async function archive(tx: Tx, place: Place, groups: Known[]): Promise<void> {
  const going = groups.filter(group => group.archived_at === null);
  if (going.length === 0) return;
  await tx
    .updateTable('groups')
    .set({ archived_at: place.kernel.clock.now() })
    .where('workspace_id', '=', place.workspaceId)
    .where(
      'id',
      'in',
      going.map(group => group.id),
    )
    .execute();
  const payload = { channel_id: place.channelId };
  await tell(
    tx,
    place,
    going.map(({ id, subject }) => channelFact('group.archived', id, { ...payload, subject })),
  );
}

async function tell(tx: Tx, place: Place, facts: NewFact[]): Promise<void> {
  const by = { workspaceId: place.workspaceId, actor: SYSTEM };
  await recordAll(
    tx,
    facts.map(fact => ({ ...by, ...fact })),
  );
  hint(place, 'groups', place.channelId);
}
