import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Follows one send through Baileys to tell "nothing left the house" from "it may have". The message is the
 * last thing that a send writes, after all of its encryptions: no write since the last one began = not sent.
 */
export type Footprint = { encrypted: boolean; wroteSince: boolean };

const current = new AsyncLocalStorage<Footprint>();

export function newFootprint(): Footprint {
  return { encrypted: false, wroteSince: false };
}

export function follow<T>(footprint: Footprint, work: () => Promise<T>): Promise<T> {
  return current.run(footprint, work);
}

export function noteEncryption(): void {
  const footprint = current.getStore();
  if (footprint) Object.assign(footprint, { encrypted: true, wroteSince: false });
}

export function noteWrite(): void {
  const footprint = current.getStore();
  if (footprint) footprint.wroteSince = true;
}

export function mayBeSent(footprint: Footprint): boolean {
  return footprint.encrypted && footprint.wroteSince;
}
