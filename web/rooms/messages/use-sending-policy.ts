import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Problem } from '../../kit/api.ts';
import { toastProblem } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import {
  changed,
  changeSendingPolicy,
  type PolicyChange,
  sendingPolicyQuery,
  undoing,
} from './sending-policy.ts';

const FASTER =
  'These rules were changed meanwhile. You see them as they are now; repeat your change if it still fits.';

/** The rules as they are on screen: changed at once, taken back when the server refuses, saved one after the other. */
export function useSendingPolicy() {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const options = sendingPolicyQuery(workspace);
  const { queryKey } = options;
  const mutationKey = [...queryKey, 'change'];
  const query = useQuery(options);
  const known = () => client.getQueryData(queryKey);

  const change = useMutation({
    mutationKey,
    // Each builds on the version that the one before it has made.
    scope: { id: mutationKey.join(' ') },
    mutationFn: (part: PolicyChange) => changeSendingPolicy(workspace.api, part, known()?.version),
    onMutate: async part => {
      await client.cancelQueries({ queryKey });
      const before = known();
      client.setQueryData(queryKey, policy => policy && changed(policy, part));
      return before && undoing(before, part);
    },
    onSuccess: ({ version }) => {
      client.setQueryData(queryKey, policy => policy && { ...policy, version });
    },
    onError: (problem, _part, undo) => {
      client.setQueryData(queryKey, policy => policy && undo && changed(policy, undo));
      if (problem instanceof Problem && problem.code === 'version_conflict')
        toastProblem('Somebody was faster', new Problem(problem.status, problem.code, FASTER));
      else toastProblem('The rule was not changed', problem);
    },
    onSettled: () =>
      client.isMutating({ mutationKey }) === 1 ? client.invalidateQueries({ queryKey }) : undefined,
  });
  return { query, change: change.mutate, saving: change.isPending, saved: change.isSuccess };
}
