import { createContext, type ReactNode, useContext, useMemo } from 'react';
import type { Me } from '../../src/identity/schema.ts';
import { type Api, apiOf } from './api.ts';

type Membership = Me['workspaces'][number];

export type Workspace = Membership & {
  api: Api;
  me: Me;
  /** Whether the person may do this here; the server decides, this only spares a refusal. */
  can: (permission: string) => boolean;
};

const Current = createContext<Workspace | undefined>(undefined);

export function WorkspaceProvider({ me, slug, children }: { me: Me; slug: string; children: ReactNode }) {
  const membership = me.workspaces.find(workspace => workspace.slug === slug);
  const value = useMemo(
    () =>
      membership && {
        ...membership,
        api: apiOf(membership.slug),
        me,
        can: (permission: string) => membership.permissions.includes(permission),
      },
    [membership, me],
  );
  return <Current value={value}>{children}</Current>;
}

/** The workspace that the address names. Only inside its pages. */
export function useWorkspace(): Workspace {
  const workspace = useContext(Current);
  if (!workspace) throw new Error('useWorkspace works only inside the pages of a workspace.');
  return workspace;
}
