import { describe, expect, it } from 'vitest';
import { countdown, relative, wallAt, wallWords } from './time.ts';

const now = Date.parse('2026-11-24T12:00:00Z');
const zone = 'Europe/Berlin';
const said = (at: string) => relative(Date.parse(at), { now, zone, language: 'en-GB' });

describe('time as people say it', () => {
  it.each([
    ['2026-11-24T12:00:03Z', 'in a moment'],
    ['2026-11-24T11:59:58Z', 'just now'],
    ['2026-11-24T12:00:42Z', 'in 42 seconds'],
    ['2026-11-24T12:01:00Z', 'in 1 minute'],
    ['2026-11-24T11:50:00Z', '10 minutes ago'],
    ['2026-11-24T14:20:00Z', 'today at 15:20'],
    ['2026-11-24T23:30:00Z', 'tomorrow at 00:30'],
    ['2026-11-23T07:00:00Z', 'yesterday at 08:00'],
    ['2026-11-30T07:00:00Z', 'Monday at 08:00'],
  ])('%s is "%s"', (at, words) => {
    expect(said(at)).toBe(words);
  });

  it('names the day further away, and the year when it is another', () => {
    expect(said('2026-12-24T07:00:00Z')).toBe('24 Dec at 08:00');
    expect(said('2027-01-24T07:00:00Z')).toBe('24 Jan 2027 at 08:00');
  });

  it('knows the wall clock of a zone on both sides of summer time', () => {
    expect(wallAt(Date.parse('2026-10-25T00:30:00Z'), zone)).toBe('2026-10-25T02:30:00');
    expect(wallAt(Date.parse('2026-10-25T01:30:00Z'), zone)).toBe('2026-10-25T02:30:00');
    expect(wallAt(Date.parse('2026-12-31T23:30:00Z'), zone)).toBe('2027-01-01T00:30:00');
  });

  it('says a wall clock without moving it', () => {
    expect(wallWords('2026-11-24T08:00')).toMatch(/Tuesday.*24.*8:00/);
    expect(wallWords('nonsense')).toBe('nonsense');
  });

  it('counts down to zero and no further', () => {
    expect(countdown(300_000)).toBe('5:00');
    expect(countdown(61_001)).toBe('1:02');
    expect(countdown(-5)).toBe('0:00');
  });
});
