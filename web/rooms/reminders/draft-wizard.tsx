import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { serverNow } from '../../kit/clock.ts';
import { readerZone } from '../../kit/reader.ts';
import { wallAt } from '../../kit/time.ts';
import { useWorkspace } from '../../kit/workspace.tsx';
import { type Channel, channelsQuery } from '../channels/api.ts';
import { type Draft, lackOf, type Step, targetsOn } from './draft.ts';
import { sentenceOf } from './sentence.ts';
import { StepChannel } from './step-channel.tsx';
import { StepMessage } from './step-message.tsx';
import { StepReview } from './step-review.tsx';
import { StepWhen } from './step-when.tsx';
import { nameOf, StepWho } from './step-who.tsx';
import { type PreviewState, usePreview } from './use-preview.ts';
import { Wizard } from './wizard.tsx';

const USUAL_LIMIT = 4096;
const SOON_WORDS = 'Once, one minute after you save';

type Props = {
  title: string;
  back: ReactNode;
  steps: readonly Step[];
  step: Step;
  goTo: (step: Step) => void;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  channels: Channel[];
  endsAt: string | null;
  saveWord: string;
  saving: boolean;
  save: (draft: Draft, channelId: string) => void;
  notice?: ReactNode;
};

/** The five questions about a draft, new or of an edit. */
export function DraftWizard(props: Props) {
  const { draft, change, channels, steps, goTo } = props;
  const channelId = chosenChannel(draft, channels);
  const channel = channels.find(one => one.id === channelId);
  const preview = usePreview(draft, props.endsAt);
  const textLimit = channel?.capabilities.text_limit ?? USUAL_LIMIT;
  const lack = (step: Step) =>
    lackOf(draft, step, { channelId, textLimit, now: serverNow() }) ??
    (step === 'when' ? preview.refusal : undefined);

  const body = (step: Step, lacking: string | undefined): ReactNode => {
    switch (step) {
      case 'channel':
        return (
          <StepChannel
            channels={channels}
            chosen={channelId}
            choose={id => change({ channelId: id })}
            lack={lacking}
          />
        );
      case 'message':
        return (
          <StepMessage
            body={draft.body}
            change={text => change({ body: text })}
            lack={lacking}
            limit={textLimit}
            sender={channel?.profile_name ?? channel?.label ?? 'You'}
            group={groupName(draft, channelId)}
            time={
              draft.mode === 'soon'
                ? wallAt(serverNow() + 60_000, draft.zone).slice(11, 16)
                : draft.time.slice(0, 5)
            }
          />
        );
      case 'when':
        return (
          <StepWhen
            draft={draft}
            change={change}
            lack={lacking}
            preview={preview}
            soonOffered={steps.includes('channel')}
          />
        );
      case 'who':
        return channelId === null ? null : (
          <StepWho
            draft={draft}
            channelId={channelId}
            change={targets => change({ targets })}
            lack={lacking}
          />
        );
      case 'review':
        return (
          <StepReview
            draft={draft}
            channel={channel}
            steps={steps}
            when={whenWords(draft, preview)}
            preview={preview}
            goTo={goTo}
          />
        );
    }
  };

  return (
    <Wizard
      title={props.title}
      back={props.back}
      steps={steps}
      step={props.step}
      goTo={goTo}
      lackOf={lack}
      sentence={sentenceFor(draft, channelId, preview)}
      saveWord={props.saveWord}
      saving={props.saving}
      save={() => channelId !== null && props.save(draft, channelId)}
      notice={props.notice}
    >
      {lacking => body(props.step, lacking)}
    </Wizard>
  );
}

export function useChannels() {
  return useQuery(channelsQuery(useWorkspace()));
}

/** The only channel needs no choice. */
function chosenChannel(draft: Draft, channels: Channel[]): string | null {
  if (draft.channelId !== null) return draft.channelId;
  const connected = channels.filter(channel => channel.status === 'connected');
  const [only] = connected.length > 0 ? connected : channels;
  return connected.length === 1 || channels.length === 1 ? (only?.id ?? null) : null;
}

function groupName(draft: Draft, channelId: string | null): string | undefined {
  const targets = targetsOn(draft, channelId);
  const group = targets.find(target => target.kind === 'group');
  return group && nameOf(group);
}

function whenWords(draft: Draft, preview: PreviewState): string {
  if (draft.mode === 'soon') return SOON_WORDS;
  return preview.data?.summary ?? 'At a time to be chosen';
}

function sentenceFor(draft: Draft, channelId: string | null, preview: PreviewState): string {
  const repeated = draft.mode === 'at' && draft.repeat.kind !== 'once';
  return sentenceOf({
    when: draft.mode === 'soon' ? SOON_WORDS : preview.data?.summary,
    next: repeated ? preview.data?.next[0]?.local : undefined,
    zone: draft.mode === 'soon' || draft.zone === readerZone() ? undefined : draft.zone,
    names: targetsOn(draft, channelId).map(nameOf),
  });
}
