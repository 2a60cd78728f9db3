import { describe, expect, it } from 'vitest';
import { roots, touchedBy } from './live-topics.ts';

describe('what a live event touches', () => {
  it('reads the subject of a fact', () => {
    const fact = { seq: 7, id: 'a', type: 'reminder.paused', subject: { type: 'reminder', id: 'r' } };
    expect(touchedBy(JSON.stringify(fact))).toContain('reminders');
    expect(touchedBy(JSON.stringify(fact))).not.toContain('channels');
  });

  it.each([
    ['pairing', 'pairing'],
    ['channels', 'channels'],
    ['groups', 'groups'],
    ['deliveries', 'messages'],
    ['contacts', 'contacts'],
    ['parking', 'parking'],
  ])('reads the hint %s', (topic, root) => {
    expect(touchedBy(JSON.stringify({ topic, id: 'x' }))).toContain(root);
  });

  it('takes everything as touched by what it does not know', () => {
    expect(touchedBy(JSON.stringify({ topic: 'invoices' }))).toEqual(roots);
    expect(touchedBy('not json')).toEqual(roots);
  });
});
