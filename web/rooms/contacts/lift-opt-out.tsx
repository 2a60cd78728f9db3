import { useQueryClient } from '@tanstack/react-query';
import { ReasonDialog } from '../../kit/reason-dialog.tsx';
import { toastDone } from '../../kit/toast.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import { liftOptOut, type OptOut } from './api.ts';
import { personName } from './words.ts';

/** Asks why, because it undoes what a person has asked for. */
export function LiftOptOut({ optOut, close }: { optOut: OptOut; close: () => void }) {
  const { slug, api } = useWorkspace();
  const client = useQueryClient();
  const who = personName(optOut);
  const act = async (reason: string) => {
    await liftOptOut(api, optOut.id, reason);
    toastDone(`${who} can be written to again.`);
  };
  return (
    <ReasonDialog
      title={`Write to ${who} again?`}
      about={`${optOut.how === 'message' ? 'This person has asked for no more messages. ' : ''}Lift it only if they have asked to be written to again.`}
      readers="It stays in the activity, with who wrote it."
      verb="Lift opt-out"
      act={act}
      settled={() => client.invalidateQueries({ queryKey: [slug, 'contacts'] })}
      close={close}
    />
  );
}
