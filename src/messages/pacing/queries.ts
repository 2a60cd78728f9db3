import { channelForSending, type PacingAdvice } from '../../channels/index.ts';
import { AppError, inWorkspace, notFound, type Scope, type Tx } from '../../kernel/index.ts';
import type { Pacing } from '../schema.ts';
import { messagesOpenAt, newPeopleToday } from './budget.ts';
import { BOUNDS, type Limits, limitsOf, newPeopleAt } from './limits.ts';
import { countDue, readPaces } from './rows.ts';

const DAY_MS = 86_400_000;

/** 404 when there is no such channel, 409 `illegal_state` when its kind is not paced. */
export async function adviceFor(tx: Tx, scope: Scope, channelId: string): Promise<PacingAdvice> {
  const channel = await channelForSending(tx, scope, channelId);
  if (!channel) throw notFound();
  const { pacing } = channel.capabilities;
  if (!pacing)
    throw new AppError('illegal_state', 'This channel sends as fast as it can: nothing of it is paced.');
  return pacing;
}

/** How fast the channel may send, what it has spent, and what keeps it back. */
export function readPacing(scope: Scope, channelId: string): Promise<Pacing> {
  return inWorkspace(scope, async tx => {
    const advice = await adviceFor(tx, scope, channelId);
    const now = scope.kernel.clock.now().getTime();
    const place = { workspaceId: scope.workspaceId, channelId };
    const pace = (await readPaces(tx, [place], now)).get(channelId);
    if (!pace) throw notFound();
    const { budget, restriction } = pace;
    const limits = limitsOf(advice, pace.settings);
    const spent = newPeopleToday(budget, now);
    const next = messagesOpenAt(budget, limits);
    return {
      channel_id: channelId,
      settings: shown(limits),
      advised: shown(advice),
      bounds: BOUNDS,
      today: {
        new_people: spent,
        new_people_limit: newPeopleAt(limits, budget.warmSince, now),
        until: spent > 0 && budget.dayFrom !== null ? iso(budget.dayFrom + DAY_MS) : null,
      },
      next_at: next > now ? iso(next) : null,
      restriction:
        restriction && restriction.until > now
          ? { reason: restriction.reason, since: iso(restriction.since), until: iso(restriction.until) }
          : null,
      waiting: await countDue(tx, place),
      version: pace.version,
    };
  });
}

function shown(limits: Limits): Pacing['settings'] {
  return {
    messages_per_minute: limits.messagesPerMinute,
    groups_per_minute: limits.groupsPerMinute,
    new_people_per_day: limits.newPeoplePerDay,
    warm_up_days: limits.warmUpDays,
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
