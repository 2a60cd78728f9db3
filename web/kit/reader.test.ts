import { afterEach, describe, expect, it } from 'vitest';
import { browserZone, formsOf, numberWords, readerForms, readerZone, readFor } from './reader.ts';
import { relative, wallWords } from './time.ts';

afterEach(() => readFor(undefined));

const noon = Date.parse('2026-11-24T12:00:00Z');

describe('for whom dates are written', () => {
  it.each([
    ['de', 'Tuesday 24 November 2026 at 14:05', '12.345', 1],
    ['pt-BR', 'Tuesday 24 November 2026 at 14:05', '12.345', 0],
    ['en-US', 'Tuesday November 24 2026 at 2:05 PM', '12,345', 0],
    ['en-GB', 'Tuesday 24 November 2026 at 14:05', '12,345', 1],
    ['ar-EG', 'Tuesday 24 November 2026 at 2:05 pm', '12,345', 6],
  ])('%s: English words in the forms of the region', (locale, date, number, weekStart) => {
    readFor({ locale, time_zone: null });
    expect(wallWords('2026-11-24T14:05').replaceAll(/[,\s]+/g, ' ')).toBe(date);
    expect(numberWords(12_345)).toBe(number);
    expect(readerForms().weekStart).toBe(weekStart);
  });

  it('counts days and hours in the zone of the profile', () => {
    readFor({ locale: 'de', time_zone: 'Pacific/Auckland' });
    expect(readerZone()).toBe('Pacific/Auckland');
    expect(relative(Date.parse('2026-11-24T09:00:00Z'), { now: noon })).toBe('yesterday at 22:00');
  });

  it('is the browser where the profile leaves it open, or holds what no browser knows', () => {
    const before = readerForms();
    readFor({ locale: 'en', time_zone: null });
    expect([readerForms().words, readerZone()]).toEqual([before.words, browserZone]);
    readFor({ locale: 'not a language', time_zone: null });
    expect(wallWords('2026-11-24T14:05')).toMatch(/Tuesday/);
    expect(formsOf('fr').words).toMatch(/^en-.*-u-hc-h23$/);
    readFor({ locale: 'de', time_zone: 'Europe/Not-Yet-Renamed' });
    expect(readerZone()).toBe(browserZone);
    expect(relative(Date.parse('2026-11-24T09:00:00Z'), { now: noon })).toMatch(/at \d\d:00$/);
  });
});
