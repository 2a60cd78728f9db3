/** How often, as a person chooses it, and the RFC 5545 rule that it means. */
export const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Weekday = (typeof weekdays)[number];

export type PresetId =
  | 'daily'
  | 'weekdays'
  | 'weekly'
  | 'monthly_weekday'
  | 'monthly_day'
  | 'month_end'
  | 'yearly';
export type Unit = 'day' | 'week' | 'month' | 'year';

export type Custom = {
  kind: 'custom';
  every: number;
  unit: Unit;
  /** Of a week; empty = the weekday of the start. */
  days: Weekday[];
  /** Of a month: its number, its weekday, or the last day. */
  monthly: 'day' | 'weekday' | 'last_day';
};

export type Repeat =
  | { kind: 'once' }
  | { kind: 'preset'; preset: PresetId }
  | Custom
  /** A rule that this form cannot show; it stays as it is. */
  | { kind: 'kept'; rule: string };

export type End = { kind: 'never' } | { kind: 'on'; date: string } | { kind: 'after'; count: number };

const frequencies: Record<Unit, string> = { day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY', year: 'YEARLY' };

/** The rule for a start date `2026-11-24`; null = once. */
export function ruleOf(repeat: Repeat, date: string, end: End): string | null {
  if (repeat.kind === 'once') return null;
  if (repeat.kind === 'kept') return repeat.rule;
  return `${repeat.kind === 'preset' ? presetRule(repeat.preset, date) : customRule(repeat, date)}${endOf(end)}`;
}

/** What a stored rule means in this form; what it cannot show is kept word for word. */
export function readRule(rule: string | null, date: string): { repeat: Repeat; end: End } {
  if (rule === null) return { repeat: { kind: 'once' }, end: { kind: 'never' } };
  const kept = { repeat: { kind: 'kept', rule } as const, end: { kind: 'never' } as const };
  const parts = new Map(rule.split(';').map(part => part.split('=', 2) as [string, string]));
  const end = readEnd(parts);
  if (end === undefined) return kept;
  const rest = sameness(parts);
  for (const preset of presetIds) {
    if (sameness(partsOf(presetRule(preset, date))) === rest)
      return { repeat: { kind: 'preset', preset }, end };
  }
  const custom = readCustom(parts);
  if (custom && sameness(partsOf(customRule(custom, date))) === rest) return { repeat: custom, end };
  return kept;
}

/** The week, the month and the year as they are counted from the start date. */
export function dateParts(date: string) {
  const at = new Date(`${date}T00:00:00Z`);
  const day = at.getUTCDate();
  const weekday = weekdays[(at.getUTCDay() + 6) % 7] ?? 'MO';
  const nth = Math.ceil(day / 7);
  return { day, month: at.getUTCMonth() + 1, weekday, ordinal: nth > 4 ? -1 : nth };
}

const presetIds: PresetId[] = [
  'daily',
  'weekdays',
  'weekly',
  'monthly_weekday',
  'monthly_day',
  'month_end',
  'yearly',
];

function presetRule(preset: PresetId, date: string): string {
  const { day, month, weekday, ordinal } = dateParts(date);
  switch (preset) {
    case 'daily':
      return 'FREQ=DAILY';
    case 'weekdays':
      return 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR';
    case 'weekly':
      return `FREQ=WEEKLY;BYDAY=${weekday}`;
    case 'monthly_weekday':
      return `FREQ=MONTHLY;BYDAY=${ordinal}${weekday}`;
    case 'monthly_day':
      return `FREQ=MONTHLY;BYMONTHDAY=${day}`;
    case 'month_end':
      return 'FREQ=MONTHLY;BYMONTHDAY=-1';
    case 'yearly':
      return `FREQ=YEARLY;BYMONTH=${month};BYMONTHDAY=${day}`;
  }
}

function customRule({ every, unit, days, monthly }: Custom, date: string): string {
  const { day, month, weekday, ordinal } = dateParts(date);
  const by: Record<Unit, string> = {
    day: '',
    week: `;BYDAY=${days.length > 0 ? weekdays.filter(known => days.includes(known)).join() : weekday}`,
    month: { day: `;BYMONTHDAY=${day}`, weekday: `;BYDAY=${ordinal}${weekday}`, last_day: ';BYMONTHDAY=-1' }[
      monthly
    ],
    year: `;BYMONTH=${month};BYMONTHDAY=${day}`,
  };
  return `FREQ=${frequencies[unit]}${every > 1 ? `;INTERVAL=${every}` : ''}${by[unit]}`;
}

/** A bare date lasts to its end on the clock of the reminder's own zone. */
function endOf(end: End): string {
  if (end.kind === 'on') return `;UNTIL=${end.date.replaceAll('-', '')}`;
  return end.kind === 'after' ? `;COUNT=${end.count}` : '';
}

function readEnd(parts: Map<string, string>): End | undefined {
  const [count, until] = [parts.get('COUNT'), parts.get('UNTIL')];
  if (count !== undefined) return { kind: 'after', count: Number(count) };
  if (until === undefined) return { kind: 'never' };
  const date = /^(\d{4})(\d\d)(\d\d)$/.exec(until);
  return date ? { kind: 'on', date: date.slice(1).join('-') } : undefined;
}

function readCustom(parts: Map<string, string>): Custom | undefined {
  const unit = (Object.keys(frequencies) as Unit[]).find(name => frequencies[name] === parts.get('FREQ'));
  if (unit === undefined) return undefined;
  const byDay = (parts.get('BYDAY') ?? '').split(',');
  const days = unit === 'week' ? weekdays.filter(known => byDay.includes(known)) : [];
  return {
    kind: 'custom',
    every: Number(parts.get('INTERVAL') ?? 1),
    unit,
    days,
    monthly: unit === 'month' ? readMonthly(parts) : 'day',
  };
}

function readMonthly(parts: Map<string, string>): Custom['monthly'] {
  if (parts.get('BYMONTHDAY') === '-1') return 'last_day';
  return parts.has('BYDAY') ? 'weekday' : 'day';
}

function partsOf(rule: string): Map<string, string> {
  return new Map(rule.split(';').map(part => part.split('=', 2) as [string, string]));
}

/** Two rules are the same when their parts are, apart from the end and in any order. */
function sameness(parts: Map<string, string>): string {
  return [...parts]
    .filter(
      ([name, value]) => name !== 'UNTIL' && name !== 'COUNT' && !(name === 'INTERVAL' && value === '1'),
    )
    .map(([name, value]) => `${name}=${value.split(',').sort().join()}`)
    .sort()
    .join(';');
}
