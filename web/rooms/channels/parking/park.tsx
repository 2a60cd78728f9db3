import { useQueryClient } from '@tanstack/react-query';
import { ReasonDialog } from '../../../kit/reason-dialog.tsx';
import { capitalised } from '../../../kit/time.ts';
import { toastDone } from '../../../kit/toast.tsx';
import { useWorkspace } from '../../../kit/workspace.tsx';
import { type Parkable, park, parkingsQuery } from './api.ts';
import { nameOf } from './words.ts';

/** Asks why, because others will want to know why nothing goes out. */
export function Park({ what, close }: { what: Parkable; close: () => void }) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const name = nameOf(what);
  const act = async (reason: string) => {
    client.setQueryData(parkingsQuery(workspace).queryKey, await park(workspace.api, what, reason));
    toastDone(`${capitalised(name)} is parked. Messages wait.`);
  };
  return (
    <ReasonDialog
      title={`Park ${name}?`}
      about={`From then on Convoke takes messages and keeps them; none of them leaves until somebody arms ${name} again. Nothing is missed meanwhile.`}
      readers="Everybody in the workspace sees it."
      verb="Park"
      act={act}
      settled={() => client.invalidateQueries({ queryKey: [workspace.slug] })}
      close={close}
    />
  );
}
