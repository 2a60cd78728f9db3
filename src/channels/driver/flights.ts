import type { Connection } from '../adapters/contract.ts';
import { pause } from '../pause.ts';

const LOOK_MS = 50;

/** A connection that counts what is on the wire, so that it can be ended without cutting an answer short. */
export class Flights {
  readonly connection: Connection;
  #flying = 0;

  constructor(connection: Connection) {
    this.connection = {
      send: async (wire, deadline) => {
        this.#flying += 1;
        try {
          return await connection.send(wire, deadline);
        } finally {
          this.#flying -= 1;
        }
      },
      close: how => connection.close(how),
      refreshGroups: async () => connection.refreshGroups?.(),
    };
  }

  /** Resolves when nothing is on the wire, or at the signal. */
  async landed(signal: AbortSignal): Promise<void> {
    while (this.#flying > 0 && !signal.aborted) await pause(LOOK_MS, signal);
  }
}
