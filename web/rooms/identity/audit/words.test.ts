import { expect, it } from 'vitest';
import { actorWords, changesOf, factWords } from './words.ts';

const fact = {
  id: '1',
  type: 'x.y',
  subject: { type: 'x', id: '1' },
  payload: null,
  address: null,
  occurred_at: '',
};

it('says what happened in words', () => {
  expect(factWords('member.role_changed')).toBe('Member: role changed');
  expect(factWords('identity.signed_in')).toBe('Person: signed in');
});

it('names whoever did it as far as it is known', () => {
  const by = (kind: 'user' | 'system' | 'recipient' | 'api_key', name: string | null) =>
    actorWords({ ...fact, actor: { kind, id: null, name } });
  expect([by('user', 'Anna'), by('system', null), by('api_key', null), by('user', null)]).toEqual([
    'Anna',
    'Convoke',
    'An API key',
    'Somebody',
  ]);
});

it('sets before and after side by side, whichever of them is there', () => {
  expect(
    changesOf({ before: { role: 'viewer', terms: null }, after: { role: 'admin', terms: null } }),
  ).toEqual([{ field: 'role', before: 'viewer', after: 'admin' }]);
  expect(changesOf({ before: { is_admin: true } })).toEqual([
    { field: 'is admin', before: 'true', after: '–' },
  ]);
  expect(changesOf({ text: 'x' })).toEqual([]);
  expect(changesOf(null)).toEqual([]);
});
