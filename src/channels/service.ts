import type { z } from 'zod';
import {
  AppError,
  afterCommit,
  hint,
  inWorkspace,
  newId,
  notFound,
  type Scope,
  type Tx,
} from '../kernel/index.ts';
import { recordChannel } from './activity.ts';
import {
  isOver,
  mayPair,
  PAIRING_LASTS_MS,
  type PairingStepName,
  stepsBefore,
  type Wanted,
} from './policy.ts';
import type { ChannelRemoval } from './ports.ts';
import type { ChannelStatus, NewChannel, NewPairing } from './schema.ts';

/** A double click, or a page that asks twice. */
const REPEATED_WITHIN_MS = 3_000;

export function create(scope: Scope, input: z.output<typeof NewChannel>): Promise<string> {
  return inWorkspace(scope, async tx => {
    const id = newId();
    await tx
      .insertInto('channels')
      .values({ workspace_id: scope.workspaceId, id, kind: input.kind, label: input.label })
      .execute();
    await recordChannel(tx, scope, 'channel.created', id, input);
    return id;
  });
}

/** Renames it; `ifMatch` = the version that the caller saw, another one is 412 `version_conflict`. */
export function rename(scope: Scope, id: string, label: string, ifMatch: number | undefined): Promise<void> {
  return inWorkspace(scope, async tx => {
    const channel = await lock(tx, scope, id);
    if (ifMatch !== undefined && ifMatch !== channel.version) {
      throw new AppError(
        'version_conflict',
        'Somebody changed this channel meanwhile. Load it again, then repeat your change.',
        { extra: { version: channel.version } },
      );
    }
    if (channel.label === label) return;
    await write(tx, scope, id, { label });
    await recordChannel(tx, scope, 'channel.renamed', id, { label });
  });
}

/**
 * Takes the channel away for good. The node that drives it logs the device out at WhatsApp, best
 * effort, and erases the credentials; its past messages stay readable. `endPlans` ends what has not left yet.
 */
export function remove(scope: Scope, id: string, endPlans?: ChannelRemoval): Promise<void> {
  return inWorkspace(scope, async tx => {
    const channel = await lock(tx, scope, id);
    await endPairing(tx, scope, id);
    await want(tx, scope, id, 'deleted', { phone: null });
    await endPlans?.(tx, scope, id);
    await recordChannel(tx, scope, 'channel.removed', id, { label: channel.label });
  });
}

/** Logs out at WhatsApp and erases the credentials; the channel stays, its groups are archived. */
export function unpair(scope: Scope, id: string): Promise<void> {
  return inWorkspace(scope, async tx => {
    const channel = await lock(tx, scope, id);
    if (channel.wanted === 'unpaired') return;
    await endPairing(tx, scope, id);
    await want(tx, scope, id, 'unpaired', {
      phone: null,
      status: 'unpaired',
      status_reason: 'unpaired',
      status_until: null,
      status_at: scope.kernel.clock.now(),
    });
    await recordChannel(tx, scope, 'channel.unpaired', id, { reason: 'by_hand' });
  });
}

/**
 * Starts a pairing, which ends the one before: whoever comes back gets the full time. Only a start that repeats
 * one of this moment gives back that one. 409 while a number is linked. Answers whether it is a new one.
 */
export function startPairing(
  scope: Scope,
  id: string,
  request: z.output<typeof NewPairing>,
  lastsMs = PAIRING_LASTS_MS,
): Promise<'new' | 'same'> {
  return inWorkspace(scope, async tx => {
    const channel = await lock(tx, scope, id);
    if (!mayPair(channel.wanted as Wanted, channel.status as ChannelStatus)) {
      throw new AppError(
        'illegal_state',
        'A number is linked to this channel. Unpair it first, then pair again.',
      );
    }
    const phone = request.method === 'code' ? request.phone : null;
    if (channel.wanted === 'pairing' && (await isRepeated(tx, scope, id, request.method, phone)))
      return 'same';
    const now = scope.kernel.clock.now();
    const generation = await want(tx, scope, id, 'pairing', {
      status: 'pairing',
      status_reason: null,
      status_until: null,
      status_at: now,
      phone: null,
    });
    const row = {
      id: newId(),
      generation,
      method: request.method,
      phone,
      step: 'starting',
      secret: null,
      reason: null,
      started_at: now,
      step_at: now,
      expires_at: new Date(now.getTime() + lastsMs),
    };
    await tx
      .insertInto('pairings')
      .values({ workspace_id: scope.workspaceId, channel_id: id, ...row })
      .onConflict(conflict => conflict.columns(['workspace_id', 'channel_id']).doUpdateSet(row))
      .execute();
    await recordChannel(tx, scope, 'channel.pairing_started', id, { method: request.method });
    hint(scope, 'pairing', id);
    return 'new';
  });
}

/** Stops a pairing that is not over yet and halts the channel; safe to repeat. */
export function cancelPairing(scope: Scope, id: string): Promise<void> {
  return inWorkspace(scope, async tx => {
    const channel = await lock(tx, scope, id);
    if (channel.wanted !== 'pairing') return;
    await endPairing(tx, scope, id);
    await want(tx, scope, id, 'unpaired', {
      status: 'unpaired',
      status_reason: 'pairing_cancelled',
      status_at: scope.kernel.clock.now(),
    });
  });
}

async function lock(tx: Tx, scope: Scope, id: string) {
  const row = await tx
    .selectFrom('channels')
    .selectAll()
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .where('wanted', '<>', 'deleted')
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw notFound();
  return row;
}

type Columns = {
  label?: string;
  phone?: null;
  status?: ChannelStatus;
  status_reason?: string | null;
  status_until?: null;
  status_at?: Date;
};

async function write(tx: Tx, scope: Scope, id: string, columns: Columns): Promise<void> {
  await tx
    .updateTable('channels')
    .set(eb => ({ ...columns, version: eb('version', '+', 1), updated_at: scope.kernel.clock.now() }))
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .execute();
  hint(scope, 'channels', id);
}

/** Says what is wanted from now on and wakes the node that drives the channel; returns the generation. */
async function want(tx: Tx, scope: Scope, id: string, wanted: Wanted, columns: Columns): Promise<number> {
  await write(tx, scope, id, columns);
  const { generation } = await tx
    .updateTable('channels')
    .set(eb => ({ wanted, generation: eb('generation', '+', 1) }))
    .where('workspace_id', '=', scope.workspaceId)
    .where('id', '=', id)
    .returning('generation')
    .executeTakeFirstOrThrow();
  afterCommit(() => scope.kernel.wake.publish('channels', id));
  return generation;
}

async function endPairing(tx: Tx, scope: Scope, channelId: string): Promise<void> {
  await tx
    .updateTable('pairings')
    .set({ step: 'cancelled', secret: null, step_at: scope.kernel.clock.now() })
    .where('workspace_id', '=', scope.workspaceId)
    .where('channel_id', '=', channelId)
    .where('step', 'in', stepsBefore('cancelled'))
    .execute();
  hint(scope, 'pairing', channelId);
}

async function isRepeated(
  tx: Tx,
  scope: Scope,
  channelId: string,
  method: string,
  phone: string | null,
): Promise<boolean> {
  const row = await tx
    .selectFrom('pairings')
    .select(['step', 'method', 'phone', 'started_at'])
    .where('workspace_id', '=', scope.workspaceId)
    .where('channel_id', '=', channelId)
    .executeTakeFirst();
  if (!row || isOver(row.step as PairingStepName) || row.method !== method || row.phone !== phone)
    return false;
  return scope.kernel.clock.now().getTime() - row.started_at.getTime() < REPEATED_WITHIN_MS;
}
