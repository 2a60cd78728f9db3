import { describe, expect, it } from 'vitest';
import { readReceipt } from './receipts.ts';

const self = { id: '15550000001:1@s.whatsapp.net', lid: '900000000000001:1@lid' };
const BEN = '15550000002@s.whatsapp.net';

function receipt(attrs: Record<string, string>, further: string[] = []) {
  const list = { tag: 'list', attrs: {}, content: further.map(id => ({ tag: 'item', attrs: { id } })) };
  return {
    tag: 'receipt',
    attrs: { id: 'A1', t: '1767225600', ...attrs },
    content: further.length ? [list] : [],
  };
}

describe('a receipt stanza', () => {
  it('tells of delivery or reading, of one message or of several', () => {
    const at = new Date('2026-01-01T00:00:00Z');
    expect(readReceipt(receipt({ from: BEN }), self)).toEqual({
      ids: ['A1'],
      fact: { kind: 'delivered', at },
      who: BEN,
    });
    expect(readReceipt(receipt({ from: BEN, type: 'read' }, ['A2', 'A3']), self)).toMatchObject({
      ids: ['A1', 'A2', 'A3'],
      fact: { kind: 'read' },
    });
    expect(readReceipt(receipt({ from: BEN, type: 'inactive' }), self)).toMatchObject({
      fact: { kind: 'delivered' },
    });
  });

  it('of this very second happened now, an older one when it says', () => {
    const told = Date.parse('2026-01-01T00:00:00Z');
    const at = (now: number) => readReceipt(receipt({ from: BEN }), self, new Date(now))?.fact.at.getTime();
    expect(at(told + 430)).toBe(told + 430);
    expect(at(told + 60_000)).toBe(told);
    expect(at(told - 5_000)).toBe(told);
  });

  it('names the member in a group', () => {
    const read = readReceipt(receipt({ from: '120363@g.us', participant: '900000000000003@lid' }), self);
    expect(read?.who).toBe('900000000000003@lid');
  });

  it.each<[string, Record<string, string>]>([
    ['a retry request', { from: BEN, type: 'retry' }],
    ['reading on our own other device', { from: BEN, type: 'read-self' }],
    ['our own phone', { from: '15550000001@s.whatsapp.net', recipient: BEN }],
    ['our own phone by LID', { from: '120363@g.us', participant: '900000000000001@lid' }],
    ['a group as a whole', { from: '120363@g.us' }],
    ['a status update', { from: 'status@broadcast', participant: BEN }],
  ])('says nothing about recipients when it is of %s', (_name, attrs) => {
    expect(readReceipt(receipt(attrs), self)).toBeUndefined();
  });
});
