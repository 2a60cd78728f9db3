import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readWord } from './words.ts';

const says = (text: string) => readWord(text)?.says;

describe('a message that is the word', () => {
  const stops = [
    'STOP',
    'stop',
    ' Stop \n',
    'Stop.',
    'STOP!!!',
    '"stop"',
    '*STOP*',
    '_stop_',
    '¡STOP!',
    'Stop 🙏🏽',
    '🛑 STOP 🛑',
    'stop ✋️',
    'ＳＴＯＰ',
    'ⓢⓣⓞⓟ',
    '\u200fSTOP\u200f',
    'st\u200bop',
    'Opt  out',
    'OPT-OUT',
    'Unsubscribe',
    'Stopp',
    'ABMELDEN',
    'Baja',
    'cancelar suscripción',
    'Sair',
    'Cancelar inscrição',
    'ARRÊT',
    'arre\u0302t',
    'Désabonner',
    'Disiscrivi',
    'Afmelden!',
    'إيقاف',
    'ايقاف.',
  ];
  it.each(stops)('%j opts out', text => {
    expect(says(text)).toBe('stop');
  });

  it.each(['START', 'start!', 'Unstop', 'Anmelden', 'alta', 'Voltar', 'Reprendre', 'Riprendi', 'ابدأ'])(
    '%j opts in',
    text => {
      expect(says(text)).toBe('start');
    },
  );
});

describe('a message that holds the word among others', () => {
  const others = [
    '',
    '   ',
    '🙏',
    '...',
    'Stop it',
    'please stop',
    'stop?? or not',
    'STOP STOP',
    'Bus stop',
    'nonstop',
    'stops',
    's t o p',
    's.t.o.p',
    'stop\nThanks',
    'We start at 8',
    'cancel',
    'end',
    'quit',
    'no',
    'nein',
    `${'!'.repeat(300)}stop`,
  ];
  it.each(others)('%j says nothing', text => {
    expect(says(text)).toBeUndefined();
  });
});

describe('the list in docs/CONSENT.md', () => {
  const page = readFileSync(new URL('../../docs/CONSENT.md', import.meta.url), 'utf8');
  const table = [
    ...page.matchAll(
      /^\| (English|German|Spanish|Portuguese|French|Italian|Dutch|Arabic) \| (.+) \| (.+) \|$/gm,
    ),
  ];

  it.each(table.map(([, language, stop, start]) => [language, stop, start]))(
    'names words of %s that are understood',
    (_language, stop = '', start = '') => {
      expect(stop.split(', ').filter(word => says(word) !== 'stop')).toEqual([]);
      expect(start.split(', ').filter(word => says(word) !== 'start')).toEqual([]);
    },
  );

  it('covers all languages', () => {
    expect(table).toHaveLength(8);
  });
});

describe('the answers', () => {
  it('come in the language of the word', () => {
    expect(readWord('abmelden')?.answer).toMatch(/^Sie bekommen keine/);
    expect(readWord('stop')?.answer).toMatch(/^You will get no more/);
    expect(readWord('اشتراك')?.answer).toContain('STOP');
  });

  it('are no words themselves, so that two machines do not talk each other in and out', () => {
    const answers = [
      'stop',
      'start',
      'stopp',
      'anmelden',
      'baja',
      'sair',
      'arrêt',
      'ferma',
      'stoppen',
      'إيقاف',
    ];
    expect(answers.map(word => says(readWord(word)?.answer ?? 'stop'))).toEqual(answers.map(() => undefined));
  });
});
