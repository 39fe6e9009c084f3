/**
 * Formulas as Markdown images in the colours of the theme that is on, with their words or TeX as alternative. Where
 * there is no image, it says why and gives the TeX. Shared by hover and explanation.
 */

import * as vscode from 'vscode';
import type { Drawing } from '../../formula/typeset/messages.ts';
import type { MathService, TexInput, Typeset } from '../../host/math/mathService.ts';
import { codeSpan, fenced, image, sentence } from './safeMarkdown.ts';
import { MATH_COLORS } from './themes.ts';
import type { MathColors, ThemeKind } from './themes.ts';

const LONGEST_SOURCE = 2000;

export function themeKind(theme: vscode.ColorTheme = vscode.window.activeColorTheme): ThemeKind {
  switch (theme.kind) {
    case vscode.ColorThemeKind.Dark:
      return 'dark';
    case vscode.ColorThemeKind.Light:
      return 'light';
    case vscode.ColorThemeKind.HighContrast:
      return 'high-contrast-dark';
    case vscode.ColorThemeKind.HighContrastLight:
      return 'high-contrast-light';
    default:
      return theme.kind satisfies never;
  }
}

export function themeColors(): MathColors {
  return MATH_COLORS[themeKind()];
}

/** A formula on lines of its own: the image, or the reason and the TeX. */
export async function formulaBlock(math: MathService, input: TexInput, alternative: string, limit: number): Promise<string> {
  const drawn = await math.draw(input, themeColors().text);
  if (drawn.kind === 'done') {
    const picture = image(drawn.value, alternative);
    if (picture.length <= limit) return picture;
  }
  return `${sentence(noImage(drawn))}\n\n${fenced(input.tex.length > LONGEST_SOURCE ? `${input.tex.slice(0, LONGEST_SOURCE)} …` : input.tex)}`;
}

/** A formula within a line; its TeX where it can't be drawn. */
export async function formulaInline(math: MathService, input: TexInput): Promise<{ readonly markdown: string; readonly source: string }> {
  const source = codeSpan(input.tex.slice(0, LONGEST_SOURCE));
  const drawn = await math.draw(input, themeColors().text);
  return { markdown: drawn.kind === 'done' ? image(drawn.value, input.tex) : source, source };
}

function noImage(drawn: Typeset<Drawing>): string {
  switch (drawn.kind) {
    case 'done':
    case 'too-long':
      return vscode.l10n.t('This formula is too long to be drawn here.');
    case 'slow':
      return vscode.l10n.t('This formula takes too long to be drawn.');
    case 'fault':
      return vscode.l10n.t('This is not valid TeX: {0}.', drawn.message.replace(/[.\s]+$/, ''));
    case 'failed':
      return vscode.l10n.t('The formula could not be drawn: {0}', drawn.message);
    default:
      return drawn satisfies never;
  }
}
