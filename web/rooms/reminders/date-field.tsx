import { DateInput } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import { readerForms } from '../../kit/reader.ts';

type Props = { label: string; value: string; change: (date: string) => void; error?: string | undefined };

/** A day as `2026-11-24`, typed or picked. */
export function DateField({ label, value, change, error }: Props) {
  return (
    <DateInput
      label={label}
      value={value === '' ? null : value}
      valueFormat="ddd, D MMMM YYYY"
      dateParser={text => readDate(text)}
      onChange={date => change(date ?? '')}
      error={error}
      leftSection={<IconCalendar size="1.2em" aria-hidden />}
      firstDayOfWeek={readerForms().weekStart}
      weekendDays={[]}
      hideOutsideDates
      ariaLabels={{ previousMonth: 'Previous month', nextMonth: 'Next month' }}
      popoverProps={{ position: 'bottom-start' }}
    />
  );
}

/** Also takes what people type: `2026-11-24`, `24.11.2026`, `24 November 2026`. */
function readDate(text: string): string | null {
  const [, year, month, day] = /^\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*$/.exec(text) ?? [];
  if (year && month && day) return joined(year, month, day);
  const [, d, m, y] = /^\s*(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})\s*$/.exec(text) ?? [];
  if (d && m && y) return joined(y, m, d);
  const at = new Date(`${text} 12:00 UTC`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString().slice(0, 10);
}

function joined(year: string, month: string, day: string): string | null {
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const at = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== date ? null : date;
}
