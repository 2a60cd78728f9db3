import { readerForms, readerZone } from './reader.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Place = { now: number; zone?: string; language?: string };

/** "in 5 minutes", "today at 14:20", "Monday at 08:00": what a person would say. */
export function relative(
  at: number,
  { now, zone = readerZone(), language = readerForms().words }: Place,
): string {
  const ahead = at - now;
  const distance = Math.abs(ahead);
  if (distance < 5_000) return ahead > 0 ? 'in a moment' : 'just now';
  if (distance < MINUTE - 500) return direction(ahead, count(Math.round(distance / 1_000), 'second'));
  if (distance < HOUR - MINUTE / 2) return direction(ahead, count(Math.round(distance / MINUTE), 'minute'));
  return `${dayWord(at, now, zone, language)} at ${clockTime(at, zone, language)}`;
}

/** The whole instant, with its zone. */
export function exact(at: number, zone: string = readerZone()): string {
  return new Intl.DateTimeFormat(readerForms().words, {
    dateStyle: 'full',
    timeStyle: 'long',
    timeZone: zone,
  }).format(at);
}

function clockTime(at: number, zone: string, language: string = readerForms().words): string {
  return new Intl.DateTimeFormat(language, { timeStyle: 'short', timeZone: zone }).format(at);
}

/** "Tuesday 24 November 2026 at 08:00" of a wall clock such as `2026-11-24T08:00:00`. */
export function wallWords(
  local: string,
  length: 'long' | 'short' = 'long',
  language: string = readerForms().words,
): string {
  const at = Date.parse(`${withSeconds(local)}Z`);
  if (Number.isNaN(at)) return local;
  const date = new Intl.DateTimeFormat(language, {
    weekday: length === 'long' ? 'long' : 'short',
    day: 'numeric',
    month: length === 'long' ? 'long' : 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(at);
  return `${date} at ${clockTime(at, 'UTC', language)}`;
}

/** The wall clock of a zone at an instant, `2026-11-24T08:00:00`. */
export function wallAt(at: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone: zone,
  }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) => parts.find(part => part.type === type)?.value ?? '00';
  return `${of('year').padStart(4, '0')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}:${of('second')}`;
}

/** "4:07" */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** "America/New_York" as people write it. */
export function zoneWords(zone: string): string {
  return zone.replaceAll('_', ' ');
}

/** At the start of a line. */
export function capitalised(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** How soon what `relative` says would change, in milliseconds. */
export function staysTrueFor(at: number, now: number): number {
  const distance = Math.abs(at - now);
  if (distance < 2 * MINUTE) return 1_000;
  return distance < HOUR + MINUTE ? 15_000 : MINUTE;
}

function dayWord(at: number, now: number, zone: string, language: string): string {
  const days = dayNumber(at, zone) - dayNumber(now, zone);
  if (days === 0) return 'today';
  if (days === 1) return 'tomorrow';
  if (days === -1) return 'yesterday';
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: zone }).format(at);
  if (days > 1 && days < 7) return format({ weekday: 'long' });
  const sameYear = wallAt(at, zone).slice(0, 4) === wallAt(now, zone).slice(0, 4);
  return format({ day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) });
}

function dayNumber(at: number, zone: string): number {
  return Math.floor(Date.parse(`${wallAt(at, zone)}Z`) / DAY);
}

function direction(ahead: number, words: string): string {
  return ahead > 0 ? `in ${words}` : `${words} ago`;
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}

function withSeconds(local: string): string {
  return local.length === 16 ? `${local}:00` : local;
}
