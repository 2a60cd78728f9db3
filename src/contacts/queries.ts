import { sql } from 'kysely';
import type { z } from 'zod';
import { inWorkspace, notFound, pageCursor, readCursor, type Scope, type Tx } from '../kernel/index.ts';
import type { Contact, OptOut, OptOutQuery } from './schema.ts';
import { spellingsOf } from './spellings.ts';

type Page<T> = { data: T[]; page: { next_cursor: string | null } };

/** Newest first. */
export function listOptOuts(scope: Scope, query: z.output<typeof OptOutQuery>): Promise<Page<OptOut>> {
  return inWorkspace(scope, async tx => {
    const before = readCursor(query.cursor);
    let select = optOuts(tx, scope)
      .orderBy('o.id', 'desc')
      .limit(query.limit + 1);
    if (before) select = select.where('o.id', '<', before);
    if (query.phone) select = select.where('o.contact_id', 'in', contactsAt(tx, scope, query.phone));
    return pageOf(await select.execute(), query.limit, optOutView);
  });
}

export function getOptOut(scope: Scope, id: string): Promise<OptOut> {
  return inWorkspace(scope, async tx => {
    const row = await optOuts(tx, scope).where('o.id', '=', id).executeTakeFirst();
    if (!row) throw notFound();
    return optOutView(row);
  });
}

/** Newest first, each with all its addresses. */
export function listContacts(
  scope: Scope,
  query: { limit: number; cursor?: string | undefined },
): Promise<Page<Contact>> {
  return inWorkspace(scope, async tx => {
    const before = readCursor(query.cursor);
    let select = tx
      .selectFrom('contacts as c')
      .leftJoin('opt_outs as o', join =>
        join.onRef('o.workspace_id', '=', 'c.workspace_id').onRef('o.contact_id', '=', 'c.id'),
      )
      .select(['c.id', 'c.name', 'c.created_at', 'o.since'])
      .where('c.workspace_id', '=', scope.workspaceId)
      .orderBy('c.id', 'desc')
      .limit(query.limit + 1);
    if (before) select = select.where('c.id', '<', before);
    const rows = await select.execute();
    const addresses = await addressesByContact(
      tx,
      scope,
      rows.map(row => row.id),
    );
    return pageOf(rows, query.limit, ({ since, ...row }) => ({
      ...row,
      addresses: addresses.get(row.id) ?? [],
      opted_out_since: since?.toISOString() ?? null,
      created_at: row.created_at.toISOString(),
    }));
  });
}

/** The address that it was said of names the person; one without a number borrows another one of theirs. */
function optOuts(tx: Tx, scope: Scope) {
  return tx
    .selectFrom('opt_outs as o')
    .innerJoin('contacts as c', join =>
      join.onRef('c.workspace_id', '=', 'o.workspace_id').onRef('c.id', '=', 'o.contact_id'),
    )
    .selectAll('o')
    .select('c.name')
    .select(
      sql<string | null>`(select a.value from addresses a where a.workspace_id = o.workspace_id
        and a.contact_id = o.contact_id and a.kind = 'phone' order by a.id <> o.address_id, a.id limit 1)`.as(
        'phone',
      ),
    )
    .where('o.workspace_id', '=', scope.workspaceId);
}

type Row = Awaited<ReturnType<ReturnType<typeof optOuts>['execute']>>[number];

function optOutView(row: Row): OptOut {
  const { id, contact_id, name, phone, word, reason, channel_id, created_by } = row;
  return {
    id,
    contact_id,
    name,
    phone,
    how: row.how as OptOut['how'],
    word,
    reason,
    channel_id,
    created_by,
    since: row.since.toISOString(),
  };
}

function contactsAt(tx: Tx, scope: Scope, phone: string) {
  return tx
    .selectFrom('addresses')
    .select('contact_id')
    .where('workspace_id', '=', scope.workspaceId)
    .where('kind', '=', 'phone')
    .where('value', 'in', spellingsOf(phone));
}

async function addressesByContact(
  tx: Tx,
  scope: Scope,
  contactIds: string[],
): Promise<Map<string, Contact['addresses']>> {
  const found = new Map<string, Contact['addresses']>(contactIds.map(id => [id, []]));
  if (contactIds.length === 0) return found;
  const rows = await tx
    .selectFrom('addresses')
    .select(['contact_id', 'kind', 'value', 'source', 'created_at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('contact_id', 'in', contactIds)
    .orderBy('id')
    .execute();
  for (const { contact_id, kind, value, source, created_at } of rows) {
    found.get(contact_id)?.push({
      kind: kind as Contact['addresses'][number]['kind'],
      value,
      source: source as Contact['addresses'][number]['source'],
      created_at: created_at.toISOString(),
    });
  }
  return found;
}

function pageOf<R extends { id: string }, T>(rows: R[], limit: number, view: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(view),
    page: { next_cursor: rows.length > limit && last ? pageCursor(last.id) : null },
  };
}
