import { describe, expect, it } from 'vitest';
import { piecesOf, titleOf, toggleMark } from './formatting.ts';

const text = (words: string) => ({ kind: 'text', text: words });

describe('the marks of WhatsApp', () => {
  it('understands each', () => {
    expect(piecesOf('*a* _b_ ~c~ ```d *e*```')).toEqual([
      { kind: 'bold', children: [text('a')] },
      text(' '),
      { kind: 'italic', children: [text('b')] },
      text(' '),
      { kind: 'strike', children: [text('c')] },
      text(' '),
      { kind: 'mono', children: [text('d *e*')] },
    ]);
  });

  it('understands them inside each other', () => {
    expect(piecesOf('*very _very_ important*')).toEqual([
      {
        kind: 'bold',
        children: [text('very '), { kind: 'italic', children: [text('very')] }, text(' important')],
      },
    ]);
  });

  it.each(['2 * 3 * 4', 'snake_case_name', '* a*', '*a', '*a\nb*', '**', '~', 'a*b*c'])(
    'leaves %j as it is',
    words => {
      expect(piecesOf(words)).toEqual([text(words)]);
    },
  );

  it('goes over lines in mono only', () => {
    expect(piecesOf('```a\nb```')).toEqual([{ kind: 'mono', children: [text('a\nb')] }]);
  });
});

describe('the formatting buttons', () => {
  it('mark the selection without the spaces around it, and unmark it again', () => {
    const marked = toggleMark({ text: 'bring your towel', start: 6, end: 11 }, 'bold');
    expect(marked).toEqual({ text: 'bring *your* towel', start: 7, end: 11 });
    expect(toggleMark(marked, 'bold')).toEqual({ text: 'bring your towel', start: 6, end: 10 });
  });

  it('open a place to type where nothing is selected', () => {
    expect(toggleMark({ text: 'ab', start: 1, end: 1 }, 'mono')).toEqual({
      text: 'a``````b',
      start: 4,
      end: 4,
    });
  });
});

it('calls a message by its first line', () => {
  expect(titleOf('\n*Swimming* today\nBring a towel')).toBe('Swimming today');
  expect(titleOf('   ')).toBe('Empty message');
});
