import { sql } from 'kysely';
import type { Scope, Tx } from '../kernel/index.ts';
import { addOptOut, endOptOut, optOutOf } from './opt-outs.ts';
import { addressId, findPerson, type Identity, lockPeople, personOf } from './people.ts';
import type { Says, Word } from './words.ts';

/** A word that came in from one person, outside of groups. */
export type HeardWord = {
  word: Word;
  channelId: string;
  /** Unique per channel: the same message again has the same key. */
  key: string;
  /** All names that are known of who wrote it. */
  from: [Identity, ...Identity[]];
  at: Date;
};

/** What to send back, once. */
export type ConsentAnswer = { contactId: string; phone: string; text: string };

/** WhatsApp tells whole seconds. */
const TOLD_TO_THE_MS = 1_000;

/**
 * Takes STOP and START to heart in the caller's transaction. A message that was heard before does nothing, nor
 * does a STOP that a later START has overtaken, or the other way round. Answers what to send back: at most one
 * answer to STOP and one to START per person in 24 hours, so that two machines cannot keep each other busy.
 */
export async function hear(tx: Tx, scope: Scope, message: HeardWord): Promise<ConsentAnswer | undefined> {
  await lockPeople(tx, scope);
  const heard = { ...message, at: notAfter(message.at, scope.kernel.clock.now()) };
  const known = await findPerson(tx, scope, heard.from, 'inbound');
  const { says } = heard.word;
  if (says === 'start' && (known === undefined || !(await optOutOf(tx, scope, known)))) return undefined;
  const contactId = known ?? (await personOf(tx, scope, heard.from, 'inbound'));
  const fromId = await addressId(tx, scope, heard.from[0]);
  if (!(await isNew(tx, scope, heard, fromId))) return undefined;
  const changed =
    says === 'stop'
      ? await stop(tx, scope, heard, contactId, fromId)
      : await start(tx, scope, heard, contactId);
  return changed ? answerTo(tx, scope, heard, contactId) : undefined;
}

/** A clock ahead of ours must not make its word outlive those that come later. */
function notAfter(at: Date, now: Date): Date {
  return at > now ? now : at;
}

async function isNew(tx: Tx, scope: Scope, heard: HeardWord, fromId: string): Promise<boolean> {
  const row = await tx
    .insertInto('heard_words')
    .values({
      workspace_id: scope.workspaceId,
      channel_id: heard.channelId,
      provider_key: heard.key,
      address_id: fromId,
      says: heard.word.says,
      at: heard.at,
    })
    .onConflict(conflict => conflict.doNothing())
    .returning('address_id')
    .executeTakeFirst();
  return row !== undefined;
}

async function stop(
  tx: Tx,
  scope: Scope,
  heard: HeardWord,
  contactId: string,
  fromId: string,
): Promise<boolean> {
  if (await startedAfter(tx, scope, contactId, heard.at)) return false;
  const of = { contactId, addressId: fromId, since: heard.at };
  return (await addOptOut(tx, scope, of, causeOf(heard))) !== undefined;
}

async function start(tx: Tx, scope: Scope, heard: HeardWord, contactId: string): Promise<boolean> {
  const optOut = await optOutOf(tx, scope, contactId);
  if (!optOut || heard.at.getTime() + TOLD_TO_THE_MS <= optOut.since.getTime()) return false;
  await endOptOut(tx, scope, optOut, causeOf(heard));
  return true;
}

function causeOf({ word: { word }, channelId }: HeardWord) {
  return { how: 'message' as const, word, channelId };
}

async function startedAfter(tx: Tx, scope: Scope, contactId: string, at: Date): Promise<boolean> {
  const later = await tx
    .selectFrom('heard_words as h')
    .innerJoin('addresses as a', join =>
      join.onRef('a.workspace_id', '=', 'h.workspace_id').onRef('a.id', '=', 'h.address_id'),
    )
    .select('h.at')
    .where('h.workspace_id', '=', scope.workspaceId)
    .where('a.contact_id', '=', contactId)
    .where('h.says', '=', 'start' satisfies Says)
    .where('h.at', '>', at)
    .executeTakeFirst();
  return later !== undefined;
}

/** A person of whom only the provider's own id is known cannot be written to, and gets no answer. */
async function answerTo(
  tx: Tx,
  scope: Scope,
  { word: { says, answer: text }, from }: HeardWord,
  contactId: string,
): Promise<ConsentAnswer | undefined> {
  const phone = from.find(({ kind }) => kind === 'phone')?.value ?? (await phoneOf(tx, scope, contactId));
  if (phone === undefined) return undefined;
  const column = sql.ref(says === 'stop' ? 'stop_answered_at' : 'start_answered_at');
  const { rows } = await sql`
    update contacts set ${column} = now()
    where workspace_id = ${scope.workspaceId} and id = ${contactId}
      and (${column} is null or ${column} <= now() - interval '24 hours')
    returning id
  `.execute(tx);
  return rows.length > 0 ? { contactId, phone, text } : undefined;
}

async function phoneOf(tx: Tx, scope: Scope, contactId: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom('addresses')
    .select('value')
    .where('workspace_id', '=', scope.workspaceId)
    .where('contact_id', '=', contactId)
    .where('kind', '=', 'phone')
    .orderBy('id')
    .executeTakeFirst();
  return row?.value;
}
