import { describe, expect, it } from 'vitest';
import { ownPath } from './own-path.ts';

describe('the way after signing in', () => {
  it.each(['/w/demo/reminders', '/w/demo/activity?outcome=needs_you', '/w/demo/channels#groups'])(
    'follows %s',
    path => {
      expect(ownPath(path)).toBe(path);
    },
  );

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'javascript:alert(1)',
    'w/demo',
    '',
    undefined,
    7,
  ])('does not follow %j', path => {
    expect(ownPath(path)).toBe('/');
  });

  it('does not lead back to the door', () => {
    expect(ownPath('/sign-in?next=/w/demo')).toBe('/');
  });
});
