import { describe, expect, it } from 'vitest';
import { isEndOfBacklog, provenSent } from './evidence.ts';

const self = { id: '15550000001:1@s.whatsapp.net', lid: '900000000000001:1@lid' };
const BEN = '15550000002@s.whatsapp.net';
const GROUP = '120363@g.us';
const ID = '3EB0AABBCCDDEEFF001122';
const OTHER = '3EB0000000000000000001';

function ids(tag: string, attrs: Record<string, string>, further: string[] = []): string[] {
  const list = { tag: 'list', attrs: {}, content: further.map(id => ({ tag: 'item', attrs: { id } })) };
  const node = { tag, attrs: { id: ID, ...attrs }, content: further.length ? [list] : [] };
  return provenSent(node, self).map(({ providerId }) => providerId);
}

describe('proof that a message was sent', () => {
  it.each<[string, string, Record<string, string>]>([
    ['our own message to a person', 'message', { from: '15550000001:1@s.whatsapp.net', recipient: BEN }],
    ['our own message to a person by LID', 'message', { from: '900000000000001:1@lid', recipient: BEN }],
    ['our own message to a group', 'message', { from: GROUP, participant: '900000000000001:1@lid' }],
    ['a person who asks for it again', 'receipt', { from: BEN, type: 'retry' }],
    ['a receipt of our own phone', 'receipt', { from: '15550000001@s.whatsapp.net', type: 'sender' }],
    ['a receipt of a group as a whole', 'receipt', { from: GROUP }],
  ])('is %s', (_name, tag, attrs) => {
    expect(ids(tag, attrs)).toEqual([ID]);
  });

  it('tells when it was, as far as the stanza says it', () => {
    const attrs = { id: ID, from: self.id, recipient: BEN, t: '1767225600' };
    expect(provenSent({ tag: 'message', attrs }, self)).toEqual([
      {
        providerId: ID,
        outcome: { outcome: 'accepted', at: new Date('2026-01-01T00:00:00Z'), providerId: ID },
      },
    ]);
  });

  it('names each message of a receipt that is about several', () => {
    expect(ids('receipt', { from: GROUP }, [OTHER, 'ABCDEF'])).toEqual([ID, OTHER]);
  });

  it.each<[string, string, Record<string, string>]>([
    ['a message of somebody else', 'message', { from: BEN }],
    ['what the owner wrote on the phone', 'message', { from: self.id, recipient: BEN, id: '3A0123456789' }],
    ['a word of our own phone to this device', 'message', { from: self.id, category: 'peer' }],
    ['a delivery receipt, which is one', 'receipt', { from: BEN }],
    ['reading on our own other device', 'receipt', { from: self.id, type: 'read-self' }],
    ['an ack', 'ack', { from: BEN, class: 'message' }],
    ['a notification', 'notification', { from: self.id }],
  ])('is not %s', (_name, tag, attrs) => {
    expect(ids(tag, attrs)).toEqual([]);
  });
});

describe('the end of the backlog', () => {
  it('is the word that says so', () => {
    const ib = (tag: string) => ({ tag: 'ib', attrs: {}, content: [{ tag, attrs: { count: '3' } }] });
    expect(isEndOfBacklog(ib('offline'))).toBe(true);
    expect(isEndOfBacklog(ib('offline_preview'))).toBe(false);
    expect(isEndOfBacklog({ tag: 'ib', attrs: {} })).toBe(false);
  });
});
