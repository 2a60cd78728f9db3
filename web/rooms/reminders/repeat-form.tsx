import { Chip, Group, NumberInput, Radio, Select, Stack, Text } from '@mantine/core';
import { DateField } from './date-field.tsx';
import type { Custom, End, Repeat, Unit } from './repeat.ts';
import { dateParts, weekdays } from './repeat.ts';
import { type Choice, choicesFor, dayOfMonth, ordinalWord, weekdayName } from './repeat-words.ts';

type Props = {
  date: string;
  repeat: Repeat;
  end: End;
  change: (next: { repeat?: Repeat; end?: End }) => void;
};

/** How often it comes, and when it stops. */
export function RepeatForm({ date, repeat, end, change }: Props) {
  const choices = choicesFor(date, repeat.kind === 'kept');
  return (
    <Stack gap="md">
      <Select
        label="Repeat"
        data={choices}
        value={repeat.kind === 'preset' ? repeat.preset : repeat.kind}
        allowDeselect={false}
        maxDropdownHeight="var(--convoke-dropdown)"
        onChange={value => change({ repeat: repeatOf(value as Choice['value'], repeat, date) })}
      />
      {repeat.kind === 'custom' && (
        <CustomForm date={date} custom={repeat} change={next => change({ repeat: next })} />
      )}
      {repeat.kind === 'kept' && (
        <Text size="sm" c="dimmed">
          This reminder has a rule that this page cannot draw. It stays as it is unless you choose another
          one.
        </Text>
      )}
      {(repeat.kind === 'preset' || repeat.kind === 'custom') && (
        <EndForm date={date} end={end} change={next => change({ end: next })} />
      )}
    </Stack>
  );
}

function CustomForm({
  date,
  custom,
  change,
}: {
  date: string;
  custom: Custom;
  change: (custom: Custom) => void;
}) {
  const { day, weekday } = dateParts(date);
  const plural = custom.every === 1 ? '' : 's';
  const days = custom.days.length > 0 ? custom.days : [weekday];
  return (
    <Stack gap="md">
      <Group gap="sm" align="flex-end">
        <NumberInput
          label="Every"
          min={1}
          max={99}
          allowDecimal={false}
          w="var(--convoke-number)"
          value={custom.every}
          onChange={value => change({ ...custom, every: Number(value) })}
        />
        <Select
          aria-label="Unit"
          w="var(--convoke-picture)"
          allowDeselect={false}
          data={(['day', 'week', 'month', 'year'] as const).map(unit => ({
            value: unit,
            label: `${unit}${plural}`,
          }))}
          value={custom.unit}
          onChange={value => change({ ...custom, unit: value as Unit })}
        />
      </Group>
      {custom.unit === 'week' && (
        <Chip.Group
          multiple
          value={days}
          onChange={chosen => change({ ...custom, days: weekdays.filter(one => chosen.includes(one)) })}
        >
          <Group gap="xs" role="group" aria-label="On these days">
            {weekdays.map(one => (
              <Chip key={one} value={one} aria-label={weekdayName(one)}>
                {weekdayName(one, 'short')}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
      )}
      {custom.unit === 'month' && (
        <Radio.Group
          label="On"
          value={custom.monthly}
          onChange={value => change({ ...custom, monthly: value as Custom['monthly'] })}
        >
          <Stack gap="xs" pt="xs">
            <Radio value="day" label={`the ${dayOfMonth(day)}`} />
            <Radio value="weekday" label={`the ${ordinalWord(date)} ${weekdayName(weekday)}`} />
            <Radio value="last_day" label="the last day of the month" />
          </Stack>
        </Radio.Group>
      )}
    </Stack>
  );
}

function EndForm({ date, end, change }: { date: string; end: End; change: (end: End) => void }) {
  const choose = (kind: string) => {
    if (kind === 'never') change({ kind });
    if (kind === 'on') change({ kind, date: monthsLater(date) });
    if (kind === 'after') change({ kind, count: 10 });
  };
  return (
    <Radio.Group label="Ends" value={end.kind} onChange={choose}>
      <Stack gap="sm" pt="xs">
        <Radio value="never" label="Never" />
        <Radio value="on" label="On a day" />
        {end.kind === 'on' && (
          <DateField label="Last day" value={end.date} change={last => change({ kind: 'on', date: last })} />
        )}
        <Radio value="after" label="After a number of times" />
        {end.kind === 'after' && (
          <NumberInput
            label="Times"
            min={1}
            max={1000}
            allowDecimal={false}
            w="var(--convoke-picture)"
            value={end.count}
            onChange={value => change({ kind: 'after', count: Number(value) })}
          />
        )}
      </Stack>
    </Radio.Group>
  );
}

function repeatOf(value: Choice['value'], now: Repeat, date: string): Repeat {
  if (value === 'once') return { kind: 'once' };
  if (value === 'kept') return now;
  if (value !== 'custom') return { kind: 'preset', preset: value };
  return now.kind === 'custom'
    ? now
    : { kind: 'custom', every: 2, unit: 'week', days: [dateParts(date).weekday], monthly: 'day' };
}

function monthsLater(date: string): string {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + 3);
  return at.toISOString().slice(0, 10);
}
