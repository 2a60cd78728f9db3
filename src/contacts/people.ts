import { sql } from 'kysely';
import { inWorkspace, newId, type Scope, type Tx } from '../kernel/index.ts';
import { recordContact } from './activity.ts';
import { spellingsOf } from './spellings.ts';

/** A name by which somebody can be known. A provider's own id is never taken for a phone number. */
export type Identity = { kind: 'phone' | 'whatsapp_lid'; value: string };

export type Source = 'inbound' | 'provider' | 'by_hand';

/** Writes about people come one at a time in a workspace, so that nobody is made or merged twice. */
export async function lockPeople(tx: Tx, scope: Scope): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`contacts:${scope.workspaceId}`}, 0))`.execute(
    tx,
  );
}

type Known = { id: string; contactId: string; kind: string; value: string; optedOut: boolean };

/** The contact who goes by one of these names; undefined for a stranger. Two who turn out to be one are merged. */
export async function findPerson(
  tx: Tx,
  scope: Scope,
  identities: Identity[],
  source: Source,
): Promise<string | undefined> {
  const known = await addressesOf(tx, scope, identities);
  const [contactId, ...others] = [...new Set(known.map(address => address.contactId))].sort();
  if (contactId === undefined) return undefined;
  for (const other of others) await merge(tx, scope, contactId, other);
  await addAddresses(tx, scope, contactId, missing(identities, known), source);
  return contactId;
}

/** The same, and a stranger becomes a contact. Under `lockPeople`. */
export async function personOf(
  tx: Tx,
  scope: Scope,
  identities: Identity[],
  source: Source,
): Promise<string> {
  const known = await findPerson(tx, scope, identities, source);
  if (known !== undefined) return known;
  const id = newId();
  await tx.insertInto('contacts').values({ workspace_id: scope.workspaceId, id }).execute();
  await addAddresses(tx, scope, id, identities, source);
  return id;
}

/**
 * Tells that all these names stand for one person, as a provider has revealed; the first is the one that a message
 * is addressed to. An opt-out on one of them holds for the others from then on. Returns whether this person has
 * opted out. Of somebody of whom nothing is kept nothing is kept afterwards.
 */
export async function linkNames(scope: Scope, names: [Identity, ...Identity[]]): Promise<boolean> {
  return inWorkspace(scope, async tx => {
    const before = await addressesOf(tx, scope, names);
    if (!isNews(names, before)) return before.some(one => one.optedOut);
    await lockPeople(tx, scope);
    const known = await addressesOf(tx, scope, names);
    await findPerson(tx, scope, names, 'provider');
    return known.some(one => one.optedOut);
  });
}

/** The row of an address that is known by now. */
export async function addressId(tx: Tx, scope: Scope, { kind, value }: Identity): Promise<string> {
  const row = await tx
    .selectFrom('addresses')
    .select('id')
    .where('workspace_id', '=', scope.workspaceId)
    .where('kind', '=', kind)
    .where('value', '=', value)
    .executeTakeFirstOrThrow();
  return row.id;
}

/** All rows that the names stand for, other spellings of a number included. */
async function addressesOf(tx: Tx, scope: Scope, identities: Identity[]): Promise<Known[]> {
  const wanted = identities.flatMap(({ kind, value }) =>
    (kind === 'phone' ? spellingsOf(value) : [value]).map(spelling => ({ k: kind, v: spelling })),
  );
  if (wanted.length === 0) return [];
  const { rows } = await sql<{
    id: string;
    contact_id: string;
    kind: string;
    value: string;
    opted_out: boolean;
  }>`
    select a.id, a.contact_id, a.kind, a.value, exists (
      select from opt_outs o where o.workspace_id = a.workspace_id and o.contact_id = a.contact_id) as opted_out
    from (select distinct k, v from json_to_recordset(${JSON.stringify(wanted)}::json) as k(k text, v text)) w
    join addresses a on a.workspace_id = ${scope.workspaceId} and a.kind = w.k and a.value = w.v
  `.execute(tx);
  return rows.map(({ contact_id: contactId, opted_out: optedOut, ...address }) => ({
    ...address,
    contactId,
    optedOut,
  }));
}

/** Whether the names do not all lead to the same contact, or to none. */
function isNews(names: Identity[], known: Known[]): boolean {
  return new Set(names.map(name => known.find(one => isNameOf(name, one))?.contactId)).size > 1;
}

function isNameOf({ kind, value }: Identity, known: Known): boolean {
  if (kind !== known.kind) return false;
  return kind === 'phone' ? spellingsOf(value).includes(known.value) : value === known.value;
}

function missing(identities: Identity[], known: Known[]): Identity[] {
  return identities.filter(({ kind, value }) => !known.some(one => one.kind === kind && one.value === value));
}

async function addAddresses(
  tx: Tx,
  scope: Scope,
  contactId: string,
  identities: Identity[],
  source: Source,
): Promise<void> {
  if (identities.length === 0) return;
  await tx
    .insertInto('addresses')
    .values(
      identities.map(({ kind, value }) => ({
        workspace_id: scope.workspaceId,
        id: newId(),
        contact_id: contactId,
        kind,
        value,
        source,
      })),
    )
    .execute();
}

/** Of two opt-outs the later one stays: a START from before it does not lift it. */
async function merge(tx: Tx, scope: Scope, into: string, from: string): Promise<void> {
  const of = scope.workspaceId;
  await sql`
    delete from opt_outs o using opt_outs other
    where o.workspace_id = ${of} and other.workspace_id = ${of}
      and ((o.contact_id = ${into} and other.contact_id = ${from})
        or (o.contact_id = ${from} and other.contact_id = ${into}))
      and (o.since, o.id) < (other.since, other.id)
  `.execute(tx);
  await sql`
    update contacts c set name = coalesce(c.name, f.name),
      stop_answered_at = greatest(c.stop_answered_at, f.stop_answered_at),
      start_answered_at = greatest(c.start_answered_at, f.start_answered_at)
    from contacts f
    where c.workspace_id = ${of} and c.id = ${into} and f.workspace_id = ${of} and f.id = ${from}
  `.execute(tx);
  await tx
    .updateTable('addresses')
    .set({ contact_id: into })
    .where('workspace_id', '=', of)
    .where('contact_id', '=', from)
    .execute();
  await tx.deleteFrom('contacts').where('workspace_id', '=', of).where('id', '=', from).execute();
  await recordContact(tx, scope, 'contact.merged', into, { contact_id: from });
}
