import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useRef, useState } from 'react';
import { Problem } from '../../kit/api.ts';
import { serverNow } from '../../kit/clock.ts';
import { Empty } from '../../kit/empty.tsx';
import { ButtonLink, TextLink } from '../../kit/links.tsx';
import { Page } from '../../kit/page.tsx';
import { readerZone } from '../../kit/reader.ts';
import { toastDone } from '../../kit/toast.tsx';
import { Loaded } from '../../kit/waiting.tsx';
import { useWorkspace } from '../../kit/workspace.tsx';
import type { Channel } from '../channels/api.ts';
import { createReminder, reminderQuery } from './api.ts';
import { bodyOf, type Draft, newDraft, type Step, settled, steps } from './draft.ts';
import { DraftWizard, useChannels } from './draft-wizard.tsx';
import { SaveTrouble } from './save-trouble.tsx';
import { useDrafts, useKept } from './use-drafts.ts';

export function NewReminder() {
  const { draftId } = useParams({ from: '/w/$slug/reminders/new/$draftId' });
  const { slug } = useWorkspace();
  const channels = useChannels();
  const back = (
    <TextLink to="/w/$slug/reminders" params={{ slug }}>
      Reminders
    </TextLink>
  );
  if (channels.data && channels.data.length > 0)
    return <Questions key={draftId} id={draftId} channels={channels.data} back={back} />;
  return (
    <Page title="New reminder" back={back}>
      <Loaded query={channels} what="channels">
        {() => (
          <Empty
            shape="linking"
            title="Pair a number first"
            action={
              <ButtonLink to="/w/$slug/channels/new" params={{ slug }}>
                New channel
              </ButtonLink>
            }
          >
            A reminder goes out from one of your WhatsApp numbers, and there is none yet.
          </Empty>
        )}
      </Loaded>
    </Page>
  );
}

function Questions({ id, channels, back }: { id: string; channels: Channel[]; back: ReactNode }) {
  const workspace = useWorkspace();
  const { slug } = workspace;
  const { step = 'channel' } = useSearch({ from: '/w/$slug/reminders/new/$draftId' });
  const navigate = useNavigate();
  const drafts = useDrafts();
  const kept = useKept(drafts, id);
  const [blank] = useState(() => newDraft(id, serverNow(), readerZone()));
  const draft = kept && 'draft' in kept ? kept.draft : blank;

  const goTo = (next: Step) =>
    void navigate({
      to: '/w/$slug/reminders/new/$draftId',
      params: { slug, draftId: id },
      search: { step: next },
    });
  const { save, saving, error, done, forget } = useSave(draft);

  if (!done && kept && 'saved' in kept) return <AlreadySaved back={back} reminderId={kept.saved} />;
  if (error instanceof Problem && error.code === 'idempotency_key_reused')
    return <AlreadySaved back={back} reminderId={undefined} />;
  return (
    <DraftWizard
      title="New reminder"
      back={back}
      steps={steps}
      step={step}
      goTo={goTo}
      draft={draft}
      change={part => {
        forget();
        drafts.write({ ...draft, ...part, changedAt: Date.now() });
      }}
      channels={channels}
      endsAt={null}
      saveWord="Save reminder"
      saving={saving}
      save={save}
      notice={error && <SaveTrouble error={error} goTo={goTo} retry={() => goTo('review')} />}
    />
  );
}

/** The id of the draft is the key of its Save: hammered or in two tabs, it becomes one reminder. */
function useSave(draft: Draft) {
  const workspace = useWorkspace();
  const client = useQueryClient();
  const navigate = useNavigate();
  const drafts = useDrafts();
  const busy = useRef(false);

  const mutation = useMutation({
    mutationFn: ({ ready, channelId }: { ready: Draft; channelId: string }) =>
      createReminder(workspace.api, bodyOf(ready, channelId), ready.id),
    onSuccess: async reminder => {
      drafts.markSaved(draft.id, reminder.id, Date.now());
      client.setQueryData(reminderQuery(workspace, reminder.id).queryKey, reminder);
      void client.invalidateQueries({ queryKey: [workspace.slug, 'reminders'] });
      toastDone('Reminder saved.');
      await navigate({
        to: '/w/$slug/reminders/$id',
        params: { slug: workspace.slug, id: reminder.id },
        replace: true,
      });
    },
    onError: (problem, { ready }) => {
      // A refusal has settled nothing; "in one minute" counts anew from the next Save.
      if (problem instanceof Problem && problem.status === 422)
        drafts.write({ ...ready, soonAt: null, changedAt: Date.now() });
    },
    onSettled: () => {
      busy.current = false;
    },
  });

  const save = (current: Draft, channelId: string) => {
    if (busy.current || mutation.isSuccess) return;
    busy.current = true;
    const ready = settled(current, serverNow());
    drafts.write({ ...ready, channelId, changedAt: Date.now() });
    mutation.mutate({ ready, channelId });
  };
  return {
    save,
    saving: mutation.isPending,
    error: mutation.error,
    done: mutation.isPending || mutation.isSuccess,
    /** A refusal is about the draft as it was. */
    forget: () => mutation.isError && mutation.reset(),
  };
}

function AlreadySaved({ back, reminderId }: { back: ReactNode; reminderId: string | undefined }) {
  const { slug } = useWorkspace();
  return (
    <Page title="New reminder" back={back}>
      <Empty
        shape="saved"
        title="This draft was already saved"
        action={
          reminderId === undefined ? (
            <ButtonLink to="/w/$slug/reminders" params={{ slug }}>
              To the reminders
            </ButtonLink>
          ) : (
            <ButtonLink to="/w/$slug/reminders/$id" params={{ slug, id: reminderId }}>
              To the reminder
            </ButtonLink>
          )
        }
      >
        It became one reminder, so it is not saved again. Look at the{' '}
        <TextLink to="/w/$slug/reminders" params={{ slug }}>
          list of reminders
        </TextLink>{' '}
        or begin a new one there.
      </Empty>
    </Page>
  );
}
