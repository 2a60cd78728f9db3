import { afterEach, describe, expect, it } from 'vitest';
import { noteServerDate, serverNow } from './clock.ts';

const now = Date.parse('2026-11-24T12:00:00.700Z');
afterEach(() => noteServerDate('Tue, 24 Nov 2026 12:00:00 GMT', now));

describe('the clock of the server', () => {
  it('is ours when they agree within what a header can tell', () => {
    noteServerDate('Tue, 24 Nov 2026 12:00:00 GMT', now);
    expect(serverNow(now)).toBe(now);
  });

  it('corrects a machine that is wrong, and a machine that was set right', () => {
    noteServerDate('Tue, 24 Nov 2026 12:10:00 GMT', now);
    expect(Math.abs(serverNow(now) - now - 600_000)).toBeLessThan(1_000);
    noteServerDate('Tue, 24 Nov 2026 12:00:00 GMT', now);
    expect(serverNow(now)).toBe(now);
  });

  it('does not mind an answer without a date', () => {
    noteServerDate(null, now);
    noteServerDate('yesterday', now);
    expect(serverNow(now)).toBe(now);
  });
});
