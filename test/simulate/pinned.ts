import type { SimulationOptions } from './simulation.ts';

/**
 * Seeds that found something once, each with what has to hold. A seed tells the same story only as long as the
 * simulation draws in the same order, so what it found has a test of its own beside the code as well.
 */
export const pinned: readonly (SimulationOptions & { what: string })[] = [
  {
    seed: 110,
    mode: 'safety',
    what: 'a late refusal of what was sent before a decision is no answer to what is sent after it',
  },
  {
    seed: 440,
    mode: 'safety',
    what: 'a node that was stopped and whose clock jumped does not come back beside its successor',
  },
  {
    seed: 1_039,
    mode: 'liveness',
    what: 'a lease that ends by one clock before the other does not keep its holder busy without end',
  },
];
