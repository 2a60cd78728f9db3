import type { Kernel } from './kernel.ts';

/** Who causes a change; recorded with every activity. */
export type Actor = { kind: 'user'; id: string } | { kind: 'system' } | { kind: 'recipient' };

declare const minted: unique symbol;

/**
 * The right to act in one workspace. Only the gates mint it (login, engine claims), so a service
 * that takes a `Scope` cannot be called without tenancy having been decided.
 */
export type Scope = {
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly kernel: Kernel;
  readonly [minted]: true;
};

/** For gates and engine claims only. */
export function mintScope(kernel: Kernel, workspaceId: string, actor: Actor): Scope {
  return { workspaceId, actor, kernel } as Scope;
}
