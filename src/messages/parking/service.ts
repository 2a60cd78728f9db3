import { channelForSending } from '../../channels/index.ts';
import {
  AppError,
  hint,
  invalidField,
  inWorkspace,
  newId,
  record,
  type Scope,
  type Tx,
  wakeAfterCommit,
} from '../../kernel/index.ts';
import { parkingFact } from '../activity.ts';
import { decideSome, type Overdue, refuseUndecided } from './overdue.ts';
import { PARKING } from './parked.ts';
import { readInstanceParking } from './queries.ts';
import { holdBackAll, type Parkable } from './rows.ts';

/** Nobody waits for a page longer without a word, and to decide about 100,000 messages takes ten times as long. */
const ANSWER_WITHIN_MS = 2_000;

/**
 * Parks a channel or, without one, the workspace: messages are taken and kept, and none enters the wire from the
 * commit on. What is parked already stays so, with its first reason.
 */
export function park(scope: Scope, input: { channelId?: string | undefined; reason: string }): Promise<void> {
  const of = { workspaceId: scope.workspaceId, channelId: input.channelId };
  return inWorkspace(scope, async tx => {
    if (input.channelId !== undefined && !(await channelForSending(tx, scope, input.channelId)))
      throw invalidField('channel_id', 'There is no such channel in this workspace. Choose another one.');
    await holdBackAll(tx);
    const [parked] = await tx
      .insertInto('parkings')
      .values({
        workspace_id: scope.workspaceId,
        id: newId(),
        channel_id: input.channelId ?? null,
        reason: input.reason,
        created_by: scope.actor.kind === 'user' ? scope.actor.id : null,
      })
      .onConflict(conflict => conflict.columns(['workspace_id', 'channel_id']).doNothing())
      .returning('id')
      .execute();
    if (!parked) return;
    await record(tx, scope, parkingFact('sending.parked', of, { reason: input.reason, by_operator: false }));
    tellAll(scope);
  });
}

/**
 * Lets a channel or the workspace go on. What has become overdue meanwhile is decided about first, in batches and
 * while nothing can be sent; 422 on `overdue` with the counts when there is some and nobody has chosen. What takes
 * longer than `answerWithinMs` is `arming`: it goes on by itself. A fault or a stop in between leaves it parked.
 */
export async function arm(
  scope: Scope,
  input: { channelId?: string | undefined; overdue?: Overdue | undefined },
  answerWithinMs = ANSWER_WITHIN_MS,
): Promise<'armed' | 'arming'> {
  const { clock, log } = scope.kernel;
  const all = armAll(scope, input).then(() => 'armed' as const);
  const { promise: late, resolve } = Promise.withResolvers<'arming'>();
  const cancel = clock.after(answerWithinMs, () => resolve('arming'));
  try {
    const how = await Promise.race([all, late]);
    if (how === 'arming') all.catch(error => log.warn({ event: 'messages.arm', err: error }, 'still parked'));
    return how;
  } finally {
    cancel();
  }
}

async function armAll(
  scope: Scope,
  { channelId, overdue }: { channelId?: string | undefined; overdue?: Overdue | undefined },
): Promise<void> {
  const of = { workspaceId: scope.workspaceId, channelId };
  while (!(await inWorkspace(scope, tx => armOrDecide(tx, scope, of, overdue))));
}

/** True once it is armed. What is still kept back by another parking is decided about when that one ends. */
async function armOrDecide(
  tx: Tx,
  scope: Scope,
  of: Parkable & { workspaceId: string },
  overdue: Overdue | undefined,
): Promise<boolean> {
  const parking = await tx
    .selectFrom('parkings')
    .select('id')
    .where('workspace_id', '=', of.workspaceId)
    .where('channel_id', of.channelId === undefined ? 'is' : '=', of.channelId ?? null)
    .forUpdate()
    .executeTakeFirst();
  if (!parking) throw notParked(of);
  if (!(await readInstanceParking(tx))) {
    if (overdue === undefined) await refuseUndecided(tx, of);
    else if (await decideSome(tx, scope, of, overdue)) return false;
  }
  await tx
    .deleteFrom('parkings')
    .where('workspace_id', '=', of.workspaceId)
    .where('id', '=', parking.id)
    .execute();
  const fact = parkingFact('sending.armed', of, { overdue: overdue ?? null, by_operator: false });
  await record(tx, scope, fact);
  tellAll(scope);
  return true;
}

function tellAll(scope: Scope): void {
  wakeAfterCommit(PARKING);
  hint(scope, 'parking');
}

function notParked({ channelId }: Parkable): AppError {
  const what = channelId === undefined ? 'This workspace' : 'This channel';
  return new AppError(
    'illegal_state',
    `${what} is not parked by itself. Look at what is parked, and arm that.`,
  );
}
