import { AppError, kept, list, newId, type Scope, type Tx, texts } from '../kernel/index.ts';
import { recordContact } from './activity.ts';
import { spellingsOf } from './spellings.ts';

/** Why a message ended that was addressed to somebody who has opted out. */
export const OPTED_OUT = {
  reason: 'opted_out',
  detail:
    'This person has asked for no more messages, so it was not sent. Take the number off the recipients; only if they ask for messages again, lift the opt-out under Contacts.',
};

/** 403: the recipient in the field at `path` wants no messages. */
export function refuseOptedOut(path: string): AppError {
  const detail = optedOutWords;
  return new AppError('opted_out', detail, { fields: [{ path, detail }] });
}

/** What is wrong with a recipient who has opted out. */
export const optedOutWords =
  'This person has asked for no more messages. Take the number off the recipients; only if they ask for messages again, lift the opt-out under Contacts.';

/**
 * Those of the recipients who have opted out, on whichever of their addresses. One query for all; works in
 * either door.
 */
export async function optedOutAmong<T extends { workspaceId: string; phone: string }>(
  tx: Tx,
  recipients: readonly T[],
): Promise<Set<T>> {
  if (recipients.length === 0) return new Set();
  const wanted = recipients.flatMap((recipient, n) =>
    spellingsOf(recipient.phone).map(value => ({ n, workspaceId: recipient.workspaceId, value })),
  );
  const rows = await findOptedOut(
    tx,
    list(wanted.map(({ n }) => n)),
    list(wanted.map(({ workspaceId }) => workspaceId)),
    texts(wanted.map(({ value }) => value)),
  );
  return new Set(rows.flatMap(({ n }) => recipients[n] ?? []));
}

const findOptedOut = kept<{ n: number }>(`
  select k.n from unnest($1::integer[], $2::uuid[], $3::text[]) as k(n, workspace_id, value)
  cross join lateral (
    select from addresses a
    join opt_outs o on o.workspace_id = a.workspace_id and o.contact_id = a.contact_id
    where a.workspace_id = k.workspace_id and a.kind = 'phone' and a.value = k.value
    limit 1
  ) found`);

/** How an opt-out or its end came about. */
export type Cause = { how: 'message'; word: string; channelId: string } | { how: 'by_hand'; reason: string };

/** Of the person; undefined when there is none. */
export function optOutOf(tx: Tx, scope: Scope, contactId: string) {
  return tx
    .selectFrom('opt_outs')
    .select(['id', 'contact_id', 'since'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('contact_id', '=', contactId)
    .executeTakeFirst();
}

/** Writes it down once with its fact; undefined when the person has opted out already. Under `lockPeople`. */
export async function addOptOut(
  tx: Tx,
  scope: Scope,
  of: { contactId: string; addressId: string; since: Date },
  cause: Cause,
): Promise<string | undefined> {
  const row = await tx
    .insertInto('opt_outs')
    .values({
      workspace_id: scope.workspaceId,
      id: newId(),
      contact_id: of.contactId,
      address_id: of.addressId,
      how: cause.how,
      ...(cause.how === 'message'
        ? { word: cause.word, channel_id: cause.channelId }
        : { reason: cause.reason }),
      created_by: scope.actor.kind === 'user' ? scope.actor.id : null,
      since: of.since,
    })
    .onConflict(conflict => conflict.columns(['workspace_id', 'contact_id']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (!row) return undefined;
  await recordContact(tx, scope, 'contact.opted_out', of.contactId, factOf(row.id, cause));
  return row.id;
}

/** Deletes it; what it was stays in the activity. */
export async function endOptOut(
  tx: Tx,
  scope: Scope,
  of: { id: string; contact_id: string },
  cause: Cause,
): Promise<void> {
  await tx
    .deleteFrom('opt_outs')
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', of.id)
    .execute();
  await recordContact(tx, scope, 'contact.opted_in', of.contact_id, factOf(of.id, cause));
}

function factOf(optOutId: string, cause: Cause) {
  const { how } = cause;
  return cause.how === 'message'
    ? { opt_out_id: optOutId, how, word: cause.word, channel_id: cause.channelId }
    : { opt_out_id: optOutId, how, reason: cause.reason };
}
