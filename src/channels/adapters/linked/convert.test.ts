import { proto, type WAMessage } from 'baileys';
import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  encodeContent,
  keyOfStanza,
  openedMessage,
  placeholderFor,
  upsertedMessage,
} from './convert.ts';
import { accountOf, addressOf, inboundKey, newMessageId, personName } from './ids.ts';
import { parse } from './parse.ts';

const self = { id: '15550000001:1@s.whatsapp.net', lid: '900000000000001:1@lid', name: 'Olivia' };

/** As Signal gives it: with one byte of padding. */
function padded(message: proto.IMessage): Uint8Array {
  return Buffer.concat([proto.Message.encode(message).finish(), Buffer.of(1)]);
}

function stanza(attrs: Record<string, string>) {
  return { tag: 'message', attrs: { id: 'A1', t: '1767225600', ...attrs } };
}

describe('a text on its way out', () => {
  it('is stored with its own secret and reads back as it was', () => {
    const [first, second] = [1, 2].map(() =>
      encodeContent({ type: 'text', text: { body: 'Zeltlager 🏕 um 9' } }),
    );
    const message = decodeMessage(first ?? Buffer.of());
    expect(message.extendedTextMessage?.text).toBe('Zeltlager 🏕 um 9');
    expect(message.messageContextInfo?.messageSecret).toHaveLength(32);
    expect(Buffer.compare(first ?? Buffer.of(), second ?? Buffer.of())).not.toBe(0);
  });

  it('gets an id in the form of official clients', () => {
    const ids = Array.from({ length: 100 }, newMessageId);
    expect(ids.every(id => /^3EB0[0-9A-F]{18}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(100);
  });

  it('has one address form', () => {
    expect(addressOf({ kind: 'phone', phone: '+15550000002' })).toBe('15550000002@s.whatsapp.net');
    expect(addressOf({ kind: 'group', providerId: '120363@g.us' })).toBe('120363@g.us');
  });
});

describe('an opened message', () => {
  it('of a person is keyed by chat, sender and id, and named by number', () => {
    const raw = openedMessage(
      stanza({ from: '15550000002:3@s.whatsapp.net', sender_lid: '900000000000002@lid' }),
      padded({ conversation: 'Hello' }),
      self,
    );
    expect(raw?.key).toBe('900000000000002@lid|900000000000002@lid|A1');
    expect(raw && parse(raw)).toEqual([
      {
        kind: 'text',
        key: raw?.key,
        from: '+15550000002',
        sender: [
          { kind: 'phone', value: '+15550000002' },
          { kind: 'whatsapp_lid', value: '900000000000002@lid' },
        ],
        group: undefined,
        text: 'Hello',
        at: new Date('2026-01-01T00:00:00Z'),
      },
    ]);
  });

  it.each([
    [{ from: '900000000000002:3@lid', sender_pn: '15550000002@s.whatsapp.net' }, ['phone', 'whatsapp_lid']],
    [{ from: '900000000000002:3@lid' }, ['whatsapp_lid']],
    [{ from: '15550000002:3@s.whatsapp.net' }, ['phone']],
  ])(
    'names its sender by all that the stanza %j tells, and never takes a LID for a number',
    (attrs, kinds) => {
      const raw = openedMessage(stanza(attrs), padded({ conversation: 'Hello' }), self);
      const values = { phone: '+15550000002', whatsapp_lid: '900000000000002@lid' };
      expect(raw && parse(raw)).toMatchObject([
        { sender: kinds.map(kind => ({ kind, value: values[kind as keyof typeof values] })) },
      ]);
    },
  );

  it('in a group names the sender by the number beside the LID', () => {
    const raw = openedMessage(
      stanza({
        from: '120363@g.us',
        participant: '900000000000003@lid',
        participant_pn: '15550000003@s.whatsapp.net',
      }),
      padded({ extendedTextMessage: { text: 'In the group' } }),
      self,
    );
    expect(raw && parse(raw)).toMatchObject([
      { from: '+15550000003', group: '120363@g.us', text: 'In the group' },
    ]);
  });

  it.each<[string, Record<string, string>, proto.IMessage]>([
    ['our own echo', { from: self.id, recipient: '15550000002@s.whatsapp.net' }, { conversation: 'x' }],
    [
      'a status update',
      { from: 'status@broadcast', participant: '1555@s.whatsapp.net' },
      { conversation: 'x' },
    ],
    [
      'keys alone',
      { from: '120363@g.us', participant: '1555@s.whatsapp.net' },
      { senderKeyDistributionMessage: { groupId: '120363@g.us' } },
    ],
  ])('is nothing to keep: %s', (_name, attrs, message) => {
    expect(openedMessage(stanza(attrs), padded(message), self)).toBeUndefined();
  });

  it('of a kind that is not known yet stays as unrecognised', () => {
    const raw = openedMessage(
      stanza({ from: '15550000002@s.whatsapp.net' }),
      padded({ locationMessage: { degreesLatitude: 1 } }),
      self,
    );
    expect(raw && parse(raw)).toEqual([{ kind: 'unrecognised', key: raw?.key }]);
  });

  it('survives bytes that are no message at all', () => {
    expect(parse({ key: 'k', kind: 'message', payload: Buffer.from('{"chat":1}') })).toEqual([
      { kind: 'unrecognised', key: 'k' },
    ]);
  });
});

describe('the same message', () => {
  const lid = '900000000000002@lid';
  const number = '15550000002@s.whatsapp.net';

  it('has the same key whichever address it comes under', () => {
    const keys = [
      openedMessage(stanza({ from: number, sender_lid: lid }), padded({ conversation: 'x' }), self)?.key,
      openedMessage(stanza({ from: number }), padded({ conversation: 'x' }), self, lid)?.key,
      openedMessage(stanza({ from: '900000000000002:3@lid' }), padded({ conversation: 'x' }), self)?.key,
      keyOfStanza(stanza({ from: number, sender_lid: lid }), self),
      placeholderFor(stanza({ from: lid, sender_pn: number }), self)?.standsFor,
      upsertedMessage(
        {
          key: { remoteJid: number, remoteJidAlt: lid, fromMe: false, id: 'A1' },
          message: { conversation: 'x' },
        } as WAMessage,
        self,
      )?.key,
    ];
    expect(new Set(keys)).toEqual(new Set([`${lid}|${lid}|A1`]));
  });

  it('has the same content for a fingerprint, whatever was drawn for it', () => {
    const contents = [Buffer.from('a'), Buffer.from('b')].map(messageSecret => {
      const message = { conversation: 'x', messageContextInfo: { messageSecret } };
      const raw = openedMessage(stanza({ from: number }), padded(message), self);
      return Buffer.from(raw?.content ?? []).toString('hex');
    });
    expect(contents[0]).not.toBe('');
    expect(contents[1]).toBe(contents[0]);
  });
});

describe('an upserted message', () => {
  const key = { remoteJid: '15550000002@s.whatsapp.net', fromMe: false, id: 'A1' };

  it('that could not be opened leaves a placeholder that does not take the place of the real one', () => {
    const stub = {
      key,
      messageTimestamp: 1767225600,
      messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT,
    };
    const raw = upsertedMessage(stub as WAMessage, self);
    expect(raw?.key).toBe(`${inboundKey(key.remoteJid, key.remoteJid, 'A1')}|undecryptable`);
    expect(raw?.standsFor).toBe(inboundKey(key.remoteJid, key.remoteJid, 'A1'));
    expect(raw && parse(raw)).toMatchObject([
      { kind: 'undecryptable', key: raw?.standsFor, from: '+15550000002' },
    ]);
  });

  it('that could be read counts although one of its ciphertexts could not', () => {
    const half = {
      key,
      message: { conversation: 'readable' },
      messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT,
    };
    expect(upsertedMessage(half as WAMessage, self)?.kind).toBe('message');
  });

  it('has the same key as the one that came through Signal', () => {
    const raw = upsertedMessage({ key, message: { conversation: 'again' } } as WAMessage, self);
    const opened = openedMessage(stanza({ from: key.remoteJid }), padded({ conversation: 'again' }), self);
    expect(raw?.key).toBe(opened?.key);
  });

  it('of our own is evidence and no message', () => {
    expect(
      upsertedMessage({ key: { ...key, fromMe: true }, message: { conversation: 'x' } } as WAMessage, self),
    ).toBeUndefined();
  });
});

describe('whom credentials belong to', () => {
  it('is known only once a phone has agreed', () => {
    expect(accountOf(self)).toEqual({
      phone: '+15550000001',
      account: '900000000000001@lid',
      profileName: 'Olivia',
    });
    expect(accountOf({ id: '15550000001@s.whatsapp.net', name: '~' })).toBeUndefined();
    expect(accountOf(undefined)).toBeUndefined();
  });

  it('keeps the LID as a name where no number is known', () => {
    expect(personName('900000000000003:2@lid')).toBe('900000000000003@lid');
  });
});
