import { describe, expect, it } from 'vitest';
import type { LateAnswer } from '../contract.ts';
import { GroupBook } from './groups.ts';
import { newMessageId } from './ids.ts';
import { Outgoing } from './send.ts';

/** What a connection that waits for nothing makes of an ack. */
function heard(attrs: Record<string, string>): { answers: LateAnswer[]; restricted: boolean } {
  const answers: LateAnswer[] = [];
  let restricted = false;
  const nothing = async () => undefined;
  const source = {
    socket: () => undefined,
    canWrite: () => true,
    addressing: async () => 'go_on' as const,
    restricted: () => {
      restricted = true;
    },
    stuck: () => undefined,
  };
  const groups = new GroupBook({ groups: nothing, groupsChanged: nothing, groupMetadata: nothing });
  const outgoing = new Outgoing(source, groups, late => answers.push(...late));
  outgoing.acknowledged({ tag: 'ack', attrs });
  return { answers, restricted };
}

describe('an ack of a message that nobody waits for any more', () => {
  const id = newMessageId();

  it('proves that it was sent', () => {
    expect(heard({ class: 'message', id }).answers).toMatchObject([
      { providerId: id, outcome: { outcome: 'accepted', providerId: id } },
    ]);
  });

  it.each([
    ['463', { outcome: 'refused', code: 'account_restricted' }],
    ['479', { outcome: 'deferred', code: 'devices_changed' }],
  ])('is an answer also when it says no with %s', (error, outcome) => {
    const { answers, restricted } = heard({ class: 'message', id, error });
    expect(answers).toMatchObject([{ providerId: id, outcome }]);
    expect(restricted).toBe(error === '463');
  });

  it.each([
    ['the owner wrote on the phone', { class: 'message', id: '3A0123456789ABCDEF01', error: '463' }],
    ['is no message', { class: 'receipt', id }],
  ])('says nothing when it is about something that %s', (_name, attrs) => {
    expect(heard(attrs)).toEqual({ answers: [], restricted: false });
  });
});
