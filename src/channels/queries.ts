import { sql } from 'kysely';
import type { z } from 'zod';
import { inWorkspace, notFound, pageCursor, readCursor, type Scope, type Tx } from '../kernel/index.ts';
import { capabilitiesOf } from './adapters/kinds.ts';
import { withinChannels } from './keys.ts';
import { pairingDetail } from './policy.ts';
import type { Channel, Group, GroupQuery, Pairing } from './schema.ts';

type Page<T> = { data: T[]; page: { next_cursor: string | null } };

/** Newest first. */
export function list(
  scope: Scope,
  query: { limit: number; cursor?: string | undefined },
): Promise<Page<Channel>> {
  return inWorkspace(scope, async tx => {
    const before = readCursor(query.cursor);
    let select = channels(tx, scope)
      .orderBy('c.id', 'desc')
      .limit(query.limit + 1);
    if (before) select = select.where('c.id', '<', before);
    return pageOf(await select.execute(), query.limit, channelView);
  });
}

export function get(scope: Scope, id: string): Promise<Channel> {
  return inWorkspace(scope, async tx => {
    const row = await channels(tx, scope).where('c.id', '=', id).executeTakeFirst();
    if (!row) throw notFound();
    return channelView(row);
  });
}

/** Newest first; archived ones only on demand. */
export function listGroups(scope: Scope, query: z.output<typeof GroupQuery>): Promise<Page<Group>> {
  return inWorkspace(scope, async tx => {
    const before = readCursor(query.cursor);
    let select = tx
      .selectFrom('groups as g')
      .innerJoin('channels as c', join =>
        join.onRef('c.workspace_id', '=', 'g.workspace_id').onRef('c.id', '=', 'g.channel_id'),
      )
      .select(['g.id', 'g.channel_id', 'g.subject', 'g.size', 'g.archived_at', 'g.synced_at'])
      .where('g.workspace_id', '=', scope.workspaceId)
      .where('c.wanted', '<>', 'deleted')
      .where(withinChannels(scope, 'c.id'))
      .orderBy('g.id', 'desc')
      .limit(query.limit + 1);
    if (before) select = select.where('g.id', '<', before);
    if (query.channel_id) select = select.where('g.channel_id', '=', query.channel_id);
    if (query.archived === 'exclude') select = select.where('g.archived_at', 'is', null);
    return pageOf(await select.execute(), query.limit, row => ({
      ...row,
      archived_at: row.archived_at?.toISOString() ?? null,
      synced_at: row.synced_at.toISOString(),
    }));
  });
}

/** The current or last pairing of a channel; 404 when there never was one. */
export async function getPairing(scope: Scope, channelId: string): Promise<Pairing> {
  const row = await inWorkspace(scope, tx =>
    tx
      .selectFrom('pairings as p')
      .innerJoin('channels as c', join =>
        join.onRef('c.workspace_id', '=', 'p.workspace_id').onRef('c.id', '=', 'p.channel_id'),
      )
      .selectAll('p')
      .select('c.phone as linked_phone')
      .where('p.workspace_id', '=', scope.workspaceId)
      .where('p.channel_id', '=', channelId)
      .where('c.wanted', '<>', 'deleted')
      .executeTakeFirst(),
  );
  if (!row) throw notFound();
  const shown = row.secret ? await openPairingSecret(scope, channelId, row.id, row.secret) : undefined;
  const [reason, otherLabel] = splitReason(row.reason);
  return {
    id: row.id,
    method: row.method as Pairing['method'],
    step: row.step as Pairing['step'],
    ...(row.step === 'show_qr' && shown !== undefined ? { qr: shown } : {}),
    ...(row.step === 'show_code' && shown !== undefined ? { code: shown } : {}),
    ...(reason === undefined ? {} : { reason, detail: pairingDetail(reason, otherLabel) }),
    ...(row.step === 'done' && row.linked_phone !== null ? { phone: row.linked_phone } : {}),
    started_at: row.started_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}

/** What the vault binds the QR text or code of a pairing to. */
export function pairingSeal(channelId: string, pairingId: string): string {
  return `pairings/${channelId}/${pairingId}`;
}

async function openPairingSecret(
  scope: Scope,
  channelId: string,
  id: string,
  secret: Buffer,
): Promise<string> {
  const vault = await scope.kernel.secrets.vault(scope.workspaceId);
  return vault.open(secret, pairingSeal(channelId, id)).toString('utf8');
}

/** Stored as `code` or `code:label of the other channel`. */
function splitReason(reason: string | null): [string | undefined, string | undefined] {
  if (reason === null) return [undefined, undefined];
  const colon = reason.indexOf(':');
  return colon < 0 ? [reason, undefined] : [reason.slice(0, colon), reason.slice(colon + 1)];
}

function channels(tx: Tx, scope: Scope) {
  return tx
    .selectFrom('channels as c')
    .selectAll('c')
    .select(
      sql<number>`(select count(*)::int from groups g where g.workspace_id = c.workspace_id
        and g.channel_id = c.id and g.archived_at is null)`.as('groups_count'),
    )
    .where('c.workspace_id', '=', scope.workspaceId)
    .where('c.wanted', '<>', 'deleted')
    .where(withinChannels(scope, 'c.id'));
}

type Row = Awaited<ReturnType<ReturnType<typeof channels>['execute']>>[number];

function channelView(row: Row): Channel {
  const capabilities = capabilitiesOf(row.kind);
  return {
    id: row.id,
    kind: row.kind as Channel['kind'],
    label: row.label,
    status: row.status as Channel['status'],
    status_reason: row.status_reason,
    status_at: row.status_at.toISOString(),
    status_until: row.status_until?.toISOString() ?? null,
    restriction: restrictionOf(row),
    phone: row.phone,
    profile_name: row.profile_name,
    groups_count: row.groups_count,
    capabilities: {
      content: [...capabilities.content],
      text_limit: capabilities.textLimit,
      groups: capabilities.groups,
      pairing: [...capabilities.pairing],
    },
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function restrictionOf(row: Row): Channel['restriction'] {
  const { restriction_reason: reason, restricted_at: since, restricted_until: until } = row;
  if (!since || !until || until.getTime() <= Date.now()) return null;
  return { reason: reason ?? row.status, since: since.toISOString(), until: until.toISOString() };
}

function pageOf<R extends { id: string }, T>(rows: R[], limit: number, view: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    page: { next_cursor: rows.length > limit && last ? pageCursor(last.id) : null },
  };
}
