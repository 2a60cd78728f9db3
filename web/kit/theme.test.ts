import { describe, expect, it } from 'vitest';
import { filled, palette } from './theme.ts';

const ENOUGH = 4.5;

describe.each(['light', 'dark'] as const)('contrast in the %s scheme', scheme => {
  const colors = palette[scheme];
  const grounds = { ground: colors.ground, surface: colors.surface };

  it.each(['text', 'dimmed', 'placeholder', 'anchor', 'error'] as const)(
    '%s is readable on every surface',
    name => {
      for (const ground of Object.values(grounds))
        expect(contrast(colors[name], ground)).toBeGreaterThan(ENOUGH);
    },
  );

  it.each(Object.entries(colors.status))(
    'the words of %s stand out on their own ground and on the page',
    (_, pair) => {
      for (const ground of [pair.ground, ...Object.values(grounds)]) {
        expect(contrast(pair.text, ground)).toBeGreaterThan(ENOUGH);
      }
    },
  );

  it('white stands on filled buttons', () => {
    for (const button of Object.values(filled))
      expect(contrast('#ffffff', button[scheme])).toBeGreaterThan(ENOUGH);
  });
});

it('measures as WCAG does', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#868e96', '#ffffff')).toBeCloseTo(3.32, 1);
});

function contrast(one: string, other: string): number {
  const [brighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (brighter + 0.05) / (darker + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map(at => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map(value => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
