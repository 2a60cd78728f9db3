import { type ParsedSchedule, parseSchedule, previewOccurrences } from './recurrence.ts';

export const EARLY = new Date('1990-01-01T00:00:00Z');

export function schedule(start: string, zone: string, rule?: string): ParsedSchedule {
  const parsed = parseSchedule({ start_local: start, time_zone: zone, rrule: rule ?? null });
  if (!parsed.ok) throw new Error(parsed.problem.detail);
  return parsed.schedule;
}

/** Instants in UTC to the minute, with `>` before the shifted ones. */
export function instants(
  start: string,
  zone: string,
  rule: string | undefined,
  count: number,
  from = EARLY,
): string[] {
  return previewOccurrences(schedule(start, zone, rule), from, count).map(
    ({ at, shifted }) => (shifted ? '>' : '') + at.toISOString().slice(0, 16),
  );
}

export function locals(start: string, zone: string, rule: string | undefined, count: number): string[] {
  return previewOccurrences(schedule(start, zone, rule), EARLY, count).map(({ local }) => local.slice(0, 16));
}

export function days(start: string, rule: string, count: number): string[] {
  return locals(start, 'Europe/Berlin', rule, count).map(local => local.slice(0, 10));
}
