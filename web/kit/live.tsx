import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { type Root, roots, touchedBy } from './live-topics.ts';

type State = 'open' | 'reconnecting';

/** A burst of facts reads each list once per second, the first fact of a quiet time at once. */
const TOGETHER_MS = 60;
const LEAST_DISTANCE_MS = 1_000;
/** A short break is nobody's business. */
const NOTICEABLE_MS = 1_500;
const LONGEST_WAIT_MS = 20_000;

const Live = createContext<State>('open');

/** One stream of facts per browser tab; whatever they touch is read again. */
export function LiveProvider({ workspace, children }: { workspace: string; children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<State>('open');
  useEffect(() => listen(workspace, client, setState), [workspace, client]);
  return <Live value={state}>{children}</Live>;
}

export function useLive(): State {
  return useContext(Live);
}

function listen(workspace: string, client: QueryClient, report: (state: State) => void): () => void {
  const stale = staleness(client, workspace);
  let source: EventSource | undefined;
  let attempts = 0;
  let again: number | undefined;
  let notice: number | undefined;

  const connect = () => {
    source = new EventSource(`/v1/live?workspace=${encodeURIComponent(workspace)}`);
    source.onopen = () => {
      const missed = attempts > 0 || notice !== undefined;
      attempts = 0;
      window.clearTimeout(notice);
      notice = undefined;
      report('open');
      if (missed) stale.add(roots);
    };
    for (const name of ['message', 'fact', 'activity', 'hint']) {
      source.addEventListener(name, event => stale.add(touchedBy(String(event.data))));
    }
    source.onerror = () => {
      notice ??= window.setTimeout(() => report('reconnecting'), NOTICEABLE_MS);
      // The browser comes back by itself with Last-Event-ID, except after an answer that was no stream.
      if (source?.readyState !== EventSource.CLOSED) return;
      attempts += 1;
      again = window.setTimeout(
        connect,
        Math.min(1_000 * 2 ** attempts, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2),
      );
    };
  };

  connect();
  return () => {
    source?.close();
    window.clearTimeout(again);
    window.clearTimeout(notice);
    stale.stop();
    report('open');
  };
}

function staleness(
  client: QueryClient,
  workspace: string,
): { add(touched: readonly Root[]): void; stop(): void } {
  const waiting = new Set<Root>();
  let timer: number | undefined;
  let last = 0;
  const flush = () => {
    timer = undefined;
    last = Date.now();
    for (const root of waiting) void client.invalidateQueries({ queryKey: [workspace, root] });
    waiting.clear();
  };
  return {
    add(touched) {
      for (const root of touched) waiting.add(root);
      timer ??= window.setTimeout(flush, Math.max(TOGETHER_MS, last + LEAST_DISTANCE_MS - Date.now()));
    },
    stop: () => window.clearTimeout(timer),
  };
}
