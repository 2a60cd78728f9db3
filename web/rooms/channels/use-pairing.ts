import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { serverNow } from '../../kit/clock.ts';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, type Pairing, type PairingRequest, pairingQuery, startPairing } from './api.ts';
import { isUnderWay, isWorthJoining, shown } from './pairing.ts';

/** Steps come live; this reads them too when the stream is broken. */
const LOOK_AGAIN_MS = 2_000;

/** The pairing of this visit: joins one that is under way or starts its own; everything hangs on its id. */
export function usePairing({ id: channelId, status }: Channel, wanted: boolean) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const [mine, setMine] = useState<string>();
  const decided = useRef(false);
  const [joinable] = useState(status === 'pairing');
  const options = pairingQuery(workspace, channelId);

  const current = useQuery({
    ...options,
    enabled: wanted && (joinable || mine !== undefined),
    refetchOnMount: 'always',
    refetchInterval: query => (query.state.data && isUnderWay(query.state.data) ? LOOK_AGAIN_MS : false),
  });

  const start = useMutation({
    mutationFn: async (request: PairingRequest) => {
      await client.cancelQueries({ queryKey: options.queryKey });
      return startPairing(workspace.api, channelId, request);
    },
    onSuccess: pairing => {
      setMine(pairing.id);
      client.setQueryData<Pairing | null>(options.queryKey, pairing);
    },
  });

  useEffect(() => {
    if (decided.current || !wanted || (joinable && !current.isFetchedAfterMount)) return;
    decided.current = true;
    if (joinable && isWorthJoining(current.data, serverNow())) setMine(current.data?.id);
    else start.mutate({ method: 'qr' });
  }, [wanted, joinable, current.isFetchedAfterMount, current.data, start.mutate]);

  return {
    pairing: start.isPending ? undefined : shown(current.data, mine),
    error: start.error ?? (current.data === undefined ? current.error : null),
    starting: start.isPending,
    start: (request: PairingRequest) => start.mutate(request),
  };
}
