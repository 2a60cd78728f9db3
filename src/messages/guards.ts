import type { Tx } from '../kernel/index.ts';
import type { Locked } from './book/index.ts';
import type { Why } from './journey.ts';
import { keepFromOptedOut } from './opted-out.ts';

/** Keeps a delivery off the wire: for good, or for now. */
export type Verdict =
  | { end: 'failed' | 'cancelled'; why: Why }
  /** Stays queued as it is, as does all behind it: neither its instant nor its window moves. */
  | { hold: Hold };

/** What keeps back a whole channel, or all of its messages of one sort, and not a single delivery. */
export type Hold = 'parked' | 'restriction' | 'pacing' | 'new_people';

/**
 * Looks at deliveries that are about to enter the wire, inside the transaction that lets them. Answers by delivery
 * id for those that must not go now; the first guard that objects decides.
 */
export type Guard = (tx: Tx, of: Locked[], now: Date) => Promise<Map<string, Verdict>>;

/** In the order in which they are asked. */
export const guards: readonly Guard[] = [keepFromOptedOut];

export async function askAll(
  guards: readonly Guard[],
  tx: Tx,
  of: Locked[],
  now: Date,
): Promise<Map<string, Verdict>> {
  const verdicts = new Map<string, Verdict>();
  for (const guard of guards) {
    const free = of.filter(({ deliveryId }) => !verdicts.has(deliveryId));
    if (free.length === 0) break;
    for (const [id, verdict] of await guard(tx, free, now)) verdicts.set(id, verdict);
  }
  return verdicts;
}
