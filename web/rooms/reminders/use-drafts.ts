import { useEffect, useSyncExternalStore } from 'react';
import { useWorkspace } from '../../kit/workspace.tsx';
import type { Draft } from './draft.ts';
import { Drafts, type Kept } from './drafts.ts';

const known = new Map<string, Drafts>();

/** The drafts of this workspace on this device. */
export function useDrafts(): Drafts {
  const { slug } = useWorkspace();
  const drafts = draftsOf(slug);
  useEffect(() => {
    const hear = (event: StorageEvent) => drafts.changedElsewhere(event.key);
    window.addEventListener('storage', hear);
    return () => window.removeEventListener('storage', hear);
  }, [drafts]);
  return drafts;
}

export function useKept(drafts: Drafts, id: string): Kept | undefined {
  return useSyncExternalStore(drafts.subscribe, () => drafts.read(id));
}

export function useUnfinished(drafts: Drafts): Draft[] {
  return useSyncExternalStore(drafts.subscribe, () => drafts.list());
}

function draftsOf(slug: string): Drafts {
  const found = known.get(slug);
  if (found) return found;
  const drafts = new Drafts(window.localStorage, slug);
  drafts.tidy(Date.now());
  known.set(slug, drafts);
  return drafts;
}
