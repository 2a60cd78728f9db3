import { assertFence, type Kernel, type Lease, outsideTransaction, type Tx } from '../kernel/index.ts';

/** A channel that this node drives, and the lease under which it may. */
export type Place = {
  readonly kernel: Kernel;
  readonly workspaceId: string;
  readonly channelId: string;
  readonly lease: Lease;
};

/**
 * One transaction in the engine's door that proves first that the channel is still ours to drive, and keeps it
 * so until the commit. Rejects with LeaseLost, and then nothing is written. Never joins a running transaction:
 * it is called from sockets and timers, whatever they were started in.
 */
export function fenced<T>(place: Place, name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return outsideTransaction(() =>
    place.kernel.database.inEngine(name, async tx => {
      await assertFence(tx, place.lease);
      return work(tx);
    }),
  );
}

/** A read without the proof: what is read may be acted upon only through `fenced`. */
export function unfenced<T>(place: Place, name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return outsideTransaction(() => place.kernel.database.inEngine(name, work));
}
