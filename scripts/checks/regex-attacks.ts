import { createContext, Script } from 'node:vm';
import { type Shape, shapeOf } from './regex-shape.ts';

/** So many characters: what is quadratic takes half a second, what is linear less than a millisecond. */
const LENGTH = 30_000;
/** Of what is exponential, more than anybody waits for. */
const FEW = 40;
const MOST_WAYS = 16;
const LONG = 20;
const MOST_ENDS = 4;

const POOL = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  ...'éß\u200b\u2028１＝🙂',
];

/**
 * The text that makes an expression slow, or undefined: every repetition of it is fed with what it repeats, behind what
 * leads to it, and then disappointed. Each attack may take `budgetMs`, in the best of three runs.
 */
export function slowText(pattern: string, flags: string, budgetMs: number): string | undefined {
  const attack = attackIn(new RegExp(pattern, flags), budgetMs);
  return attacksOn(pattern, flags).find(text => attack(text) && attack(text) && attack(text));
}

/** Whether a text takes longer. It runs in a context of its own, because only from outside can it be stopped. */
function attackIn(expression: RegExp, budgetMs: number): (text: string) => boolean {
  const ground = createContext({ expression, text: '' });
  const script = new Script('text.replace(expression, "")');
  return text => {
    ground.text = text;
    try {
      script.runInContext(ground, { timeout: budgetMs });
      return false;
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      return true;
    }
  };
}

/** Texts to try, short ones first. */
export function attacksOn(pattern: string, flags: string): string[] {
  const shape = shapeOf(pattern);
  const letters = lettersOf(shape, flags);
  const attacks = new Set<string>();
  for (const { before, body } of longRepeats(shape, '', letters)) {
    const pumps = waysOf(body, letters).filter(way => way !== '');
    const ends = ['', ...letters.all.filter(letter => !pumps.includes(letter)).slice(0, MOST_ENDS)];
    for (const pump of new Set([...pumps, ...pumps.map(way => before + way)]))
      for (const lead of new Set([before, ...ends]))
        for (const end of ends)
          for (const times of [FEW, Math.ceil(LENGTH / pump.length)])
            attacks.add(lead + pump.repeat(times) + end);
  }
  return [...attacks].toSorted((a, b) => a.length - b.length);
}

type Letters = { all: string[]; of(source: string): string[] };

/** Of the characters that no part of the pattern tells apart, one stands for all. */
function lettersOf(shape: Shape, flags: string): Letters {
  const sources = [...new Set(sourcesIn(shape))];
  const mode = flags.replace(/[gy]/g, '');
  const tests = sources.map(source => new RegExp(`^(?:${source})$`, mode));
  const classes = new Map<string, string>();
  for (const letter of [...POOL, ...sources.filter(source => source.length === 1)]) {
    const kind = tests.map(test => (test.test(letter) ? 1 : 0)).join('');
    if (!classes.has(kind) || /[a0 ]/.test(letter)) classes.set(kind, letter);
  }
  const matched = new Map(
    sources.map((source, at) => [
      source,
      [...classes].flatMap(([kind, letter]) => (kind[at] === '1' ? [letter] : [])),
    ]),
  );
  return { all: [...classes.values()], of: source => matched.get(source) ?? [] };
}

function sourcesIn(shape: Shape): string[] {
  if (shape.kind === 'chars') return [shape.source];
  if (shape.kind === 'row') return shape.parts.flatMap(sourcesIn);
  if (shape.kind === 'choice') return shape.ways.flatMap(sourcesIn);
  return shape.kind === 'repeat' ? sourcesIn(shape.body) : [];
}

/** Each repetition that may go on for long, with a text that leads to it. */
function longRepeats(shape: Shape, before: string, letters: Letters): { before: string; body: Shape }[] {
  if (shape.kind === 'choice') return shape.ways.flatMap(way => longRepeats(way, before, letters));
  if (shape.kind === 'repeat') {
    const own = shape.most > LONG ? [{ before, body: shape.body }] : [];
    return [...own, ...longRepeats(shape.body, before, letters)];
  }
  if (shape.kind !== 'row') return [];
  let lead = before;
  return shape.parts.flatMap(part => {
    const found = longRepeats(part, lead, letters);
    lead += waysOf(part, letters)[0] ?? '';
    return found;
  });
}

/** Some of the texts that fit, the shortest kinds of each. */
function waysOf(shape: Shape, letters: Letters): string[] {
  if (shape.kind === 'chars') return letters.of(shape.source);
  if (shape.kind === 'choice') return shape.ways.flatMap(way => waysOf(way, letters)).slice(0, MOST_WAYS);
  if (shape.kind === 'repeat') return repeated(shape, letters);
  if (shape.kind !== 'row') return [''];
  return shape.parts.reduce<string[]>(
    (ways, part) => ways.flatMap(way => waysOf(part, letters).map(next => way + next)).slice(0, MOST_WAYS),
    [''],
  );
}

function repeated(shape: Shape & { kind: 'repeat' }, letters: Letters): string[] {
  if (shape.most === 0) return [''];
  const ways = waysOf(shape.body, letters).map(way => way.repeat(Math.max(1, shape.least)));
  return (shape.least === 0 ? [...ways, ''] : ways).slice(0, MOST_WAYS);
}
