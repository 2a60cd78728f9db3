import type { Permission } from './http/route.ts';
import type { Kernel } from './kernel.ts';

/** Who causes a change; recorded with every activity. */
export type Actor =
  | { kind: 'user'; id: string }
  /** A program with an API key. `someChannels`: it may act on some channels only; the room of the channels knows which. */
  | { kind: 'api_key'; id: string; someChannels?: boolean }
  | { kind: 'system' }
  | { kind: 'recipient' };

declare const minted: unique symbol;

/** What is known of the request that a scope was minted for; the engine's own work has none of it. */
export type Origin = {
  /** The address of the network that it came from. */
  address?: string | undefined;
  /** Which further permissions the caller has, for routes that show more to some. */
  may?: (permission: Permission) => boolean;
};

/**
 * The right to act in one workspace. Only the gates mint it (login, engine claims), so a service
 * that takes a `Scope` cannot be called without tenancy having been decided.
 */
export type Scope = Required<Origin> & {
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly kernel: Kernel;
  readonly [minted]: true;
};

/** Under this id stands what belongs to no workspace: the facts of the whole installation. */
export const INSTANCE = '00000000-0000-0000-0000-000000000000';

/** For gates and engine claims only. */
export function mintScope(kernel: Kernel, workspaceId: string, actor: Actor, origin: Origin = {}): Scope {
  const { address, may = () => false } = origin;
  return { workspaceId, actor, address, may, kernel } as Scope;
}
