import { expect, it } from 'vitest';
import { changed, type PolicyChange, type SendingPolicy, undoing } from './sending-policy.ts';

const POLICY: SendingPolicy = { resend: true, unknown: { api: 'ask', reminder: 'give_up' }, version: 3 };

it.each<PolicyChange>([
  { resend: false },
  { unknown: { api: 'send_again' } },
  { resend: false, unknown: { reminder: 'ask' } },
])('shows the change %j at once, and takes back just that when it is refused', change => {
  const after = changed(POLICY, change);
  expect(after).not.toEqual(POLICY);
  expect(after.version).toBe(POLICY.version);
  expect(changed(after, undoing(POLICY, change))).toEqual(POLICY);
});

it('leaves alone what was changed beside it meanwhile', () => {
  const change = { unknown: { api: 'send_again' } } as const;
  const both = changed(changed(POLICY, change), { resend: false });
  expect(changed(both, undoing(POLICY, change))).toEqual({ ...POLICY, resend: false });
});
