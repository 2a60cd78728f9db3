import type { SimulationOptions } from './simulation.ts';

/** Seeds that found something once, each with what has to hold. */
export const pinned: readonly (SimulationOptions & { what: string })[] = [
  {
    seed: 212,
    mode: 'liveness',
    what: 'an attempt whose message turns out to have been sent by another one does not stay open',
  },
];
