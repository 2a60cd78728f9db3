import { expect, it } from 'vitest';
import { spellingsOf } from './spellings.ts';

const pairs = [
  ['Brazil', '+5511987654321', '+551187654321'],
  ['Mexico', '+5215512345678', '+525512345678'],
  ['Argentina', '+5491112345678', '+541112345678'],
];

it.each(pairs)(
  'knows both forms of a mobile number of %s, whichever it is given',
  (_country, long = '', short = '') => {
    expect(spellingsOf(long)).toEqual([long, short]);
    expect(spellingsOf(short)).toEqual([short, long]);
  },
);

it.each(['+491701234567', '+15550000001', '+551133334444', '+447700900123'])('takes %s as it is', phone => {
  expect(spellingsOf(phone)).toEqual([phone]);
});
