import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { Problem } from '../../kit/api.ts';
import { confirmThat } from '../../kit/confirm.tsx';
import { toastDone, toastProblem } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Message, messageQuery, type Resolution, resolveMessage } from './api.ts';
import { choiceWords, recipientName } from './words.ts';

/** Asks before it decides, as none of it can be undone; decides once, however often it is pressed. */
export function useResolve(message: Pick<Message, 'id' | 'to' | 'content'>): {
  ask: (as: Resolution) => void;
  pending: Resolution | undefined;
} {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const decided = useRef(false);

  const resolve = useMutation({
    mutationFn: (as: Resolution) => resolveMessage(workspace.api, message.id, as),
    onSuccess: (settled, as) => {
      client.setQueryData(messageQuery(workspace, message.id).queryKey, settled);
      toastDone(choiceWords[as].done);
      // The button that had the focus is gone with the question.
      document.getElementById('main')?.focus({ preventScroll: true });
    },
    onError: problem =>
      toastProblem(wasFaster(problem) ? 'It was settled meanwhile' : 'Nothing was decided', problem),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: [workspace.slug, 'messages'] });
      decided.current = false;
    },
  });

  const decide = (as: Resolution) => {
    if (decided.current) return;
    decided.current = true;
    resolve.mutate(as);
  };
  const ask = (as: Resolution) => {
    const { ask: question, verb, consequence } = choiceWords[as];
    confirmThat({
      title: question.replace('{to}', recipientName(message.to)),
      about: `“${message.content.text.body}”`,
      consequence,
      verb,
      harmless: as !== 'give_up',
      act: () => decide(as),
    });
  };
  return { ask, pending: resolve.isPending ? resolve.variables : undefined };
}

function wasFaster(problem: Error): boolean {
  return problem instanceof Problem && problem.status === 409;
}
