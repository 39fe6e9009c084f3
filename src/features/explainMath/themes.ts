/** Colours of drawn formulas and plots for VS Code's four kinds of theme. Pure: an image can't ask the theme itself. */

export type ThemeKind = 'dark' | 'light' | 'high-contrast-dark' | 'high-contrast-light';

export interface MathColors {
  readonly text: string;
  /** Of a plot: axes and their numbers; curves, in turn; the marks of solutions. */
  readonly axis: string;
  readonly curves: readonly [string, string];
  readonly mark: string;
}

/** Contrast with the theme's own background is above 4.5 for each, above 7 in high contrast. */
export const MATH_COLORS: Readonly<Record<ThemeKind, MathColors>> = {
  dark: { text: '#d4d4d4', axis: '#9d9d9d', curves: ['#4fc1ff', '#dcaa5f'], mark: '#f48771' },
  light: { text: '#1f1f1f', axis: '#616161', curves: ['#0062a3', '#9a5b00'], mark: '#b01011' },
  'high-contrast-dark': { text: '#ffffff', axis: '#ffffff', curves: ['#6fd3ff', '#ffd866'], mark: '#ffffff' },
  'high-contrast-light': { text: '#000000', axis: '#000000', curves: ['#00437a', '#6b3a00'], mark: '#000000' },
};
