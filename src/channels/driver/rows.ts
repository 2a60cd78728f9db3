import { type RawBuilder, sql } from 'kysely';
import { type Actor, hint, isUniqueViolation, type Tx, wakeAfterCommit } from '../../kernel/index.ts';
import { type ChannelFacts, recordChannel } from '../activity.ts';
import type { LinkedAccount } from '../adapters/contract.ts';
import { eraseCredentials } from '../credentials.ts';
import { archiveAllGroups } from '../group-sync.ts';
import { fenced, type Place, unfenced } from '../place.ts';
import { type Look, type PairingStepName, reasonOfHalt, stepsBefore, type Wanted } from '../policy.ts';
import { RESTRICTION } from '../restriction.ts';

/** What people want of a channel; a later wish has a higher generation. */
export type Goal = {
  wanted: Wanted;
  generation: number;
  /** It is so already, or has to wait: there is only something left to hand on. */
  rests?: boolean;
};

export type PairingRow = {
  id: string;
  method: string;
  phone: string | null;
  step: PairingStepName;
  expires_at: Date;
};

const SYSTEM: Actor = { kind: 'system' };

/** Every write here counts only while the goal's generation is the channel's: what came too late changes nothing. */
export async function writeLook(
  place: Place,
  goal: Goal,
  look: Look,
  account?: LinkedAccount,
  fact?: LookFact,
): Promise<void> {
  await fenced(place, 'channels.write_status', async tx => {
    const changed = await update(tx, place, goal, {
      status: look.status,
      status_reason: look.reason,
      status_until: look.until,
      status_at: sql<Date>`case when status = ${look.status} then status_at
        else ${place.kernel.clock.now()}::timestamptz end`,
      ...(look.status === 'restricted' ? restrictionBy(look, place.kernel.clock.now()) : {}),
      ...(account
        ? {
            provider_account: account.account,
            ...(account.profileName ? { profile_name: account.profileName } : {}),
          }
        : {}),
    });
    if (changed && fact) await recordLook(tx, place, fact, look);
  });
}

/** Kept until its end, also by a process that knows nothing of it. Without an end it lasts while the status does. */
function restrictionBy(look: Look, now: Date): Partial<Columns> {
  if (!look.until) return {};
  return { restriction_reason: look.reason, restricted_at: now, restricted_until: look.until };
}

/** Ends what is wanted: the channel waits for a person, or for `until`. */
export async function halt(place: Place, goal: Goal, look: Look, unpair: boolean): Promise<void> {
  await fenced(place, 'channels.halt', async tx => {
    const changed = await update(tx, place, goal, {
      status: look.status,
      status_reason: look.reason,
      status_until: look.until,
      status_at: place.kernel.clock.now(),
      ...(unpair ? { wanted: 'unpaired', phone: null, provider_account: null } : {}),
    });
    if (!changed) return;
    if (unpair) {
      await eraseCredentials(tx, place);
      await archiveAllGroups(tx, place);
    }
    const reason = look.reason ?? look.status;
    await tell(tx, place, unpair ? 'channel.unpaired' : 'channel.disconnected', { reason });
  });
}

/** The channel is let go of: nothing of the link stays, except its archived groups. */
export async function settleUnlinked(place: Place): Promise<void> {
  await fenced(place, 'channels.unlink', async tx => {
    await eraseCredentials(tx, place);
    await archiveAllGroups(tx, place);
    await tx
      .updateTable('channels')
      .set({ status: 'unpaired', status_until: null, phone: null, provider_account: null })
      .where('workspace_id', '=', place.workspaceId)
      .where('id', '=', place.channelId)
      .where('wanted', 'in', ['unpaired', 'deleted'])
      .execute();
    hint(place, 'channels', place.channelId);
  });
}

export function readPairing(place: Place, goal: Goal): Promise<PairingRow | undefined> {
  return unfenced(place, 'channels.read_pairing', async tx => {
    const row = await tx
      .selectFrom('pairings')
      .select(['id', 'method', 'phone', 'step', 'expires_at'])
      .where('workspace_id', '=', place.workspaceId)
      .where('channel_id', '=', place.channelId)
      .where('generation', '=', goal.generation)
      .executeTakeFirst();
    return row && { ...row, step: row.step as PairingStepName };
  });
}

export async function writePairingStep(
  place: Place,
  pairing: PairingRow,
  step: PairingStepName,
  secret: Buffer | null,
): Promise<void> {
  await fenced(place, 'channels.write_pairing', async tx => {
    await stepPairing(tx, place, pairing, { step, secret });
  });
}

/**
 * The number is linked: from now on the channel is wanted connected. `taken` = another channel of the workspace
 * has this number, by the unique index; `superseded` = people want something else by now.
 */
export async function finishPairing(
  place: Place,
  goal: Goal,
  pairing: PairingRow,
  account: LinkedAccount,
): Promise<'done' | 'taken' | 'superseded'> {
  try {
    return await fenced(place, 'channels.finish_pairing', async tx => {
      const changed = await update(tx, place, goal, {
        wanted: 'connected',
        status: 'connecting',
        status_reason: null,
        status_until: null,
        status_at: place.kernel.clock.now(),
        phone: account.phone,
        provider_account: account.account,
        profile_name: account.profileName ?? null,
      });
      if (!changed) return 'superseded';
      await stepPairing(tx, place, pairing, { step: 'done', secret: null });
      await tell(tx, place, 'channel.paired', { phone: account.phone });
      return 'done';
    });
  } catch (error) {
    if (isUniqueViolation(error, 'channels_phone')) return 'taken';
    throw error;
  }
}

/** The pairing is over without a number: the channel is halted as unpaired, ready for another try. */
export async function failPairing(
  place: Place,
  goal: Goal,
  pairing: PairingRow,
  reason: string,
  otherLabel?: string,
): Promise<void> {
  await fenced(place, 'channels.fail_pairing', async tx => {
    const changed = await update(tx, place, goal, {
      wanted: 'unpaired',
      status: 'unpaired',
      status_reason: reasonOfHalt(reason),
      status_until: null,
      status_at: place.kernel.clock.now(),
    });
    if (!changed) return;
    await eraseCredentials(tx, place);
    const stored = otherLabel === undefined ? reason : `${reason}:${otherLabel}`;
    await stepPairing(tx, place, pairing, { step: 'failed', secret: null, reason: stored });
    await tell(tx, place, 'channel.pairing_failed', { reason });
  });
}

/** The label of the channel that has this number. */
export function labelByPhone(place: Place, phone: string): Promise<string | undefined> {
  return unfenced(place, 'channels.label_by_phone', async tx => {
    const row = await tx
      .selectFrom('channels')
      .select('label')
      .where('workspace_id', '=', place.workspaceId)
      .where('phone', '=', phone)
      .executeTakeFirst();
    return row?.label;
  });
}

/** What is worth keeping of the states of a connection. */
export type LookFact =
  | 'channel.connected'
  | 'channel.disconnected'
  | 'channel.restricted'
  | 'channel.degraded';

type Columns = {
  wanted?: Wanted;
  status: string;
  status_reason: string | null;
  status_until: Date | null;
  status_at: Date | RawBuilder<Date>;
  phone?: string | null;
  provider_account?: string | null;
  profile_name?: string | null;
  restriction_reason?: string | null;
  restricted_at?: Date;
  restricted_until?: Date;
};

async function update(tx: Tx, place: Place, goal: Goal, columns: Columns): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('channels')
    .set(columns)
    .where('workspace_id', '=', place.workspaceId)
    .where('id', '=', place.channelId)
    .where('generation', '=', goal.generation)
    .where('wanted', '=', goal.wanted)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return false;
  hint(place, 'channels', place.channelId);
  if (columns.restricted_until) wakeAfterCommit(RESTRICTION, place.channelId);
  return true;
}

async function stepPairing(
  tx: Tx,
  place: Place,
  pairing: PairingRow,
  to: { step: PairingStepName; secret: Buffer | null; reason?: string },
): Promise<void> {
  await tx
    .updateTable('pairings')
    .set({ ...to, step_at: place.kernel.clock.now() })
    .where('workspace_id', '=', place.workspaceId)
    .where('channel_id', '=', place.channelId)
    .where('id', '=', pairing.id)
    .where('step', 'in', stepsBefore(to.step))
    .execute();
  hint(place, 'pairing', place.channelId);
}

async function recordLook(tx: Tx, place: Place, type: LookFact, look: Look): Promise<void> {
  const reason = look.reason ?? look.status;
  if (type === 'channel.connected') await tell(tx, place, type, {});
  else if (type !== 'channel.restricted') await tell(tx, place, type, { reason });
  else await tell(tx, place, type, { reason, until: look.until?.toISOString() ?? null });
}

function tell<T extends keyof ChannelFacts>(
  tx: Tx,
  place: Place,
  type: T,
  payload: ChannelFacts[T],
): Promise<void> {
  return recordChannel(tx, { workspaceId: place.workspaceId, actor: SYSTEM }, type, place.channelId, payload);
}
