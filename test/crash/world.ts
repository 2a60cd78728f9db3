import type { Tally } from '../harness/tally.ts';
import type { Life } from './life.ts';

/** A step of a scenario at which a life is to end. */
export type Point = { scenario: string; step: string; times: number };

/** One chain of lives on one ground, with an outside world that keeps its own ledger. */
export type World = {
  name: string;
  begin(at?: Point): Life;
  /** Makes the account and what all scenarios need; in the first life. */
  settle(life: Life): Promise<void>;
  /** What people do while the program is dead. */
  between(): Promise<void>;
  /** What can be going on when a process dies. Each resolves when all of it is done. */
  scenarios: Record<string, (life: Life) => Promise<unknown>>;
  /** Whether from some step on the scenario is the same as one before. */
  goesOnAs(scenario: string): boolean;
  /** Waits until nothing is left to do and compares the rows with the ledger; answers what is wrong. */
  recover(life: Life): Promise<string[]>;
  /** What became of all messages and pairings so far. */
  ends: Tally;
  close(): Promise<void>;
};
