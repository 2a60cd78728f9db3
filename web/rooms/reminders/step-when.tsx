import { Group, Radio, Select, Stack } from '@mantine/core';
import { TimeInput } from '@mantine/dates';
import { IconClock, IconWorld } from '@tabler/icons-react';
import { useMemo } from 'react';
import { readerZone } from '../../kit/reader.ts';
import { zoneWords } from '../../kit/time.ts';
import { DateField } from './date-field.tsx';
import type { Draft } from './draft.ts';
import { NextDates } from './next-dates.tsx';
import { RepeatForm } from './repeat-form.tsx';
import type { PreviewState } from './use-preview.ts';
import styles from './wizard.module.css';

type Props = {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  lack: string | undefined;
  preview: PreviewState;
  /** An edit has its moment; "in one minute" is for new ones. */
  soonOffered: boolean;
};

export function StepWhen({ draft, change, lack, preview, soonOffered }: Props) {
  return (
    <div className={styles.split}>
      <Stack gap="lg">
        {soonOffered && (
          <Radio.Group
            aria-label="Moment"
            value={draft.mode}
            onChange={mode => change({ mode: mode === 'soon' ? 'soon' : 'at', soonAt: null })}
          >
            <Group gap="xl">
              <Radio value="soon" label="In one minute" />
              <Radio value="at" label="At a date and time" />
            </Group>
          </Radio.Group>
        )}
        {draft.mode === 'at' && <MomentForm draft={draft} change={change} lack={lack} />}
      </Stack>
      <NextDates draft={draft} preview={preview} />
    </div>
  );
}

function MomentForm({ draft, change, lack }: Pick<Props, 'draft' | 'change' | 'lack'>) {
  const zones = useMemo(() => zonesWith(draft.zone), [draft.zone]);
  const aboutDate = lack !== undefined && (draft.date === '' || lack.includes('date'));
  return (
    <Stack gap="md">
      <Group gap="md" align="flex-start" grow preventGrowOverflow={false}>
        <DateField
          label="Date"
          value={draft.date}
          change={date => change({ date })}
          error={aboutDate ? lack : undefined}
        />
        <TimeInput
          label="Time"
          value={draft.time}
          withSeconds={draft.time.length > 5}
          onChange={event => change({ time: event.currentTarget.value })}
          error={aboutDate ? undefined : lack}
          leftSection={<IconClock size="1.2em" aria-hidden />}
        />
      </Group>
      <Select
        label="Time zone"
        description="Summer time is followed by itself."
        searchable
        limit={40}
        allowDeselect={false}
        data={zones}
        value={draft.zone}
        leftSection={<IconWorld size="1.2em" aria-hidden />}
        onChange={zone => zone !== null && change({ zone })}
      />
      {draft.date !== '' && (
        <RepeatForm date={draft.date} repeat={draft.repeat} end={draft.end} change={change} />
      )}
    </Stack>
  );
}

function zonesWith(chosen: string): { value: string; label: string }[] {
  const known = new Set([readerZone(), chosen, 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  return [...known].map(zone => ({ value: zone, label: zoneWords(zone) }));
}
