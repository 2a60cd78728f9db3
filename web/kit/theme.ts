import {
  Alert,
  Badge,
  Button,
  Chip,
  type CSSVariablesResolver,
  createTheme,
  Indicator,
  Input,
  type MantineColorsTuple,
  Modal,
  Paper,
  Tooltip,
} from '@mantine/core';

const accent: MantineColorsTuple = [
  '#eeeffd',
  '#e0e1fb',
  '#c2c4f7',
  '#9ea1f5',
  '#7c80ec',
  '#5d62e2',
  '#4a4fd9',
  '#3c40be',
  '#3034a0',
  '#252880',
];

/** Greys with a breath of the accent; the last six are the surfaces of the dark scheme. */
const dark: MantineColorsTuple = [
  '#e6e7ef',
  '#c6c8d4',
  '#a7aabb',
  '#8b8ea2',
  '#4a4d60',
  '#3a3d4d',
  '#2a2c3a',
  '#1c1d27',
  '#13141b',
  '#0d0e13',
];

/**
 * Every pair of text and ground that the app uses beside Mantine's own, so that the contrast of each
 * can be tested. Mantine's dimmed text, light badges and red fail WCAG as they come.
 */
export const palette = {
  light: {
    ground: '#f5f5fa',
    surface: '#ffffff',
    text: '#1b1c26',
    dimmed: '#595c70',
    placeholder: '#696c80',
    anchor: '#4348cf',
    error: '#b3261e',
    border: '#dcdde8',
    status: {
      accent: { text: '#3034a0', ground: '#eeeffd' },
      green: { text: '#17602b', ground: '#e4f5e8' },
      blue: { text: '#155491', ground: '#e3f0fb' },
      orange: { text: '#834000', ground: '#fdeedb' },
      red: { text: '#a3211a', ground: '#fde9e8' },
      gray: { text: '#4a4d5c', ground: '#ececf3' },
    },
  },
  dark: {
    ground: '#13141b',
    surface: '#1c1d27',
    text: '#e6e7ef',
    dimmed: '#a7aabb',
    placeholder: '#989bad',
    anchor: '#aeb1fa',
    error: '#ff9b94',
    border: '#343746',
    status: {
      accent: { text: '#c2c4f7', ground: '#2a2c5e' },
      green: { text: '#8fe0a4', ground: '#163724' },
      blue: { text: '#93cbfb', ground: '#16324c' },
      orange: { text: '#ffc37d', ground: '#44290d' },
      red: { text: '#ffaca6', ground: '#4b1d1c' },
      gray: { text: '#c6c8d4', ground: '#2f3140' },
    },
  },
} as const;

/** White stands on these. */
export const filled = {
  accent: { light: '#4a4fd9', dark: '#5d62e2' },
  red: { light: '#c22f27', dark: '#c22f27' },
};

export type StatusColor = keyof typeof palette.light.status;

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 5 },
  colors: { accent, dark },
  black: palette.light.text,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Open Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, monospace',
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.625rem', lineHeight: '1.25' },
      h2: { fontSize: '1.125rem', lineHeight: '1.35' },
      h3: { fontSize: '1rem', lineHeight: '1.4' },
    },
  },
  defaultRadius: 'md',
  radius: { sm: '0.375rem', md: '0.625rem', lg: '1rem', xl: '1.5rem' },
  shadows: {
    sm: '0 0.0625rem 0.1875rem rgba(20, 22, 50, 0.08)',
    md: '0 0.25rem 1rem rgba(20, 22, 50, 0.12)',
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Alert: Alert.extend({ defaultProps: { variant: 'light', radius: 'md', role: 'note' } }),
    Badge: Badge.extend({ defaultProps: { variant: 'light', size: 'lg', tt: 'none', fw: 550 } }),
    Button: Button.extend({ defaultProps: { size: 'md' } }),
    Chip: Chip.extend({ defaultProps: { variant: 'outline' } }),
    Indicator: Indicator.extend({ defaultProps: { size: '1.25rem', offset: 8 } }),
    Input: Input.extend({ defaultProps: { size: 'md' } }),
    InputWrapper: Input.Wrapper.extend({ defaultProps: { size: 'md' } }),
    Modal: Modal.extend({ defaultProps: { centered: true, radius: 'lg' } }),
    Paper: Paper.extend({ defaultProps: { radius: 'lg', withBorder: true } }),
    Tooltip: Tooltip.extend({
      defaultProps: { events: { hover: true, focus: true, touch: true }, withArrow: true },
    }),
  },
});

/** Sizes that belong to the app as a whole; pages have none of their own. */
const sizes = {
  '--convoke-rail': '14.5rem',
  '--convoke-bar': '4.25rem',
  '--convoke-top': '4rem',
  '--convoke-reading': '46rem',
  '--convoke-wide': '68rem',
  '--convoke-entry': '26rem',
  '--convoke-sentence': '30rem',
  '--convoke-touch': '2.75rem',
  '--convoke-qr': 'min(20rem, 78vw)',
  '--convoke-phone': '18.5rem',
  '--convoke-picture': '11rem',
  '--convoke-step': '1.75rem',
  '--convoke-near': '0.25rem',
  '--convoke-number': '7rem',
  '--convoke-choice': '10rem',
  '--convoke-dropdown': '24rem',
};

export const cssVariables: CSSVariablesResolver = () => ({
  variables: sizes,
  light: schemeVariables('light'),
  dark: schemeVariables('dark'),
});

function schemeVariables(scheme: 'light' | 'dark'): Record<string, string> {
  const colors = palette[scheme];
  const variables: Record<string, string> = {
    '--convoke-ground': colors.ground,
    '--convoke-surface': colors.surface,
    '--convoke-border': colors.border,
    '--mantine-color-text': colors.text,
    '--mantine-color-body': colors.surface,
    '--mantine-color-dimmed': colors.dimmed,
    '--mantine-color-placeholder': colors.placeholder,
    '--mantine-color-anchor': colors.anchor,
    '--mantine-color-error': colors.error,
    '--mantine-color-default-border': colors.border,
    '--mantine-color-red-filled': filled.red[scheme],
    '--mantine-color-red-filled-hover': scheme === 'light' ? '#a3211a' : '#a82a23',
  };
  for (const [name, pair] of Object.entries(colors.status)) {
    variables[`--mantine-color-${name}-light`] = pair.ground;
    variables[`--mantine-color-${name}-light-hover`] = pair.ground;
    variables[`--mantine-color-${name}-light-color`] = pair.text;
    variables[`--mantine-color-${name}-text`] = pair.text;
    variables[`--mantine-color-${name}-outline`] = pair.text;
  }
  return variables;
}
