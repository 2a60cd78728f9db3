import type { Place } from '../place.ts';
import { isOver, type Look } from '../policy.ts';
import { failPairing, type Goal, readPairing, writeLook } from './rows.ts';

/** What a channel shows while no node has room for it. */
export const NO_ROOM = 'no_room';

const LOOK: Look = { status: 'connecting', reason: NO_ROOM, until: null };

/**
 * Says of a channel that no node has room for it. The caller holds its lease for that moment, so that this word cannot
 * come after that of a node which has taken it. A pairing would wait in vain for its code, so it fails.
 */
export async function tellNoRoom(place: Place, goal: Goal): Promise<void> {
  if (goal.wanted === 'connected') return writeLook(place, goal, LOOK);
  const pairing = await readPairing(place, goal);
  if (pairing && !isOver(pairing.step)) await failPairing(place, goal, pairing, NO_ROOM);
}
