import type { Capabilities } from './contract.ts';
import { LINKED_CAPABILITIES } from './linked/capabilities.ts';

const kinds = new Map<string, Capabilities>([['linked', LINKED_CAPABILITIES]]);

/** What a kind of channel can do, also on a node that drives none. Throws for a kind that nobody declared. */
export function capabilitiesOf(kind: string): Capabilities {
  const capabilities = kinds.get(kind);
  if (!capabilities) throw new Error(`There is no adapter for channels of the kind "${kind}".`);
  return capabilities;
}

/** The kinds whose channels are paced. */
export function pacedKinds(): string[] {
  return [...kinds].flatMap(([kind, { pacing }]) => (pacing ? [kind] : []));
}

/** Makes a further kind known; an adapter that comes from outside the house does this before it is used. */
export function declareKind(kind: string, capabilities: Capabilities): void {
  kinds.set(kind, capabilities);
}
