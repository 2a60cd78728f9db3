import type { SimulationOptions } from './simulation.ts';

/** Seeds that found something once, each with what has to hold. */
export const pinned: readonly (SimulationOptions & { what: string })[] = [
  {
    seed: 212,
    mode: 'liveness',
    what: 'an attempt whose message turns out to have been sent by another one does not stay open',
  },
  {
    seed: 2703,
    mode: 'liveness',
    what: 'what turns out to have arrived while it waited to be sent again is not watched to the end of its window',
  },
  {
    seed: 4018,
    mode: 'safety',
    what: 'a node whose clock is far ahead does not call the attempts of others overdue',
  },
];
