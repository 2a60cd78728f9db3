import type { Database, Tx } from './database/database.ts';
import { type Claim, type Claimed, claimByLane, claimInOrder, type Lanes, readyLanes } from './due-claim.ts';
import { type DueItem, giveBackAllDue, giveBackDue } from './due-work.ts';

/** The list of due work as a worker wants it. Each call is a transaction of its own. */
export type DueRows = {
  /** In the order of due instants, whatever the lane. */
  claimInOrder(claim: Claim): Promise<Claimed>;
  /** At most so many in each of these lanes. */
  claimByLane(claim: Claim, lanes: Lanes): Promise<Claimed>;
  /** The lanes in which something is ready. */
  readyLanes(claim: Claim): Promise<string[]>;
  /** Frees claims of this process that were not used; `delayMs` keeps everybody off them for a while. */
  giveBack(bootId: string, items: DueItem[], delayMs: number): Promise<void>;
  /** Frees all claims of this process of one kind: those in memory are claimed again, or found to be somebody else's. */
  giveBackAll(bootId: string, kind: string): Promise<void>;
};

export function sqlDueRows(database: Database): DueRows {
  const inEngine = <T>(kind: string, work: (tx: Tx) => Promise<T>) =>
    database.inEngine(`due.${kind}`, work, { byKey: true });
  return {
    claimInOrder: claim => inEngine(claim.kind, tx => claimInOrder(tx, claim)),
    claimByLane: (claim, lanes) => inEngine(claim.kind, tx => claimByLane(tx, claim, lanes)),
    readyLanes: claim => inEngine(claim.kind, tx => readyLanes(tx, claim)),
    giveBack: async (bootId, items, delayMs) => {
      const [first] = items;
      if (first) await inEngine(first.kind, tx => giveBackDue(tx, bootId, items, delayMs));
    },
    giveBackAll: (bootId, kind) => inEngine(kind, tx => giveBackAllDue(tx, bootId, kind)),
  };
}
