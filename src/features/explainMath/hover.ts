/**
 * The hover over a formula: its image and links. The links name a place in the document, never its text, and only
 * our own commands are trusted.
 */

import * as vscode from 'vscode';
import { MacroError } from '../../formula/detection/macros.ts';
import type { Formula } from '../../formula/detection/formula.ts';
import type { MathService } from '../../host/math/mathService.ts';
import type { DocumentFormulas } from './documents.ts';
import { formulaBlock } from './mathMarkdown.ts';
import { commandLink } from './commandLink.ts';
import { LONGEST_MARKDOWN, escaped, fenced } from './safeMarkdown.ts';

export const COMMANDS = { explain: 'thinkAtHard.explain', solve: 'thinkAtHard.solveFormula', difficulty: 'thinkAtHard.showDifficulty' } as const;

/** The words are the image's alternative; a hover doesn't wait longer for them. */
const WORDS_MS = 700;

export class FormulaHover implements vscode.HoverProvider {
  constructor(
    private readonly formulas: DocumentFormulas,
    private readonly math: MathService,
  ) {}

  async provideHover(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.Hover | null> {
    const formula = this.formulas.at(document, position);
    if (formula === null) return null;
    const picture = await this.picture(document, formula);
    const commands = await availableCommands();
    if (token.isCancellationRequested) return null;
    const content = new vscode.MarkdownString(`${picture}\n\n${links(document, formula, commands)}`);
    content.isTrusted = { enabledCommands: commands.map(({ command }) => command) };
    return new vscode.Hover(content, new vscode.Range(document.positionAt(formula.start), document.positionAt(formula.end)));
  }

  private async picture(document: vscode.TextDocument, { tex, display }: Formula): Promise<string> {
    try {
      const input = { tex: this.formulas.expanded(document, tex), display };
      const drawing = formulaBlock(this.math, input, tex, LONGEST_MARKDOWN - 3000);
      const words = await withinTime(this.math.speak(input, vscode.env.language), WORDS_MS);
      return words?.kind === 'done' && words.value !== '' ? await formulaBlock(this.math, input, words.value, LONGEST_MARKDOWN - 3000) : await drawing;
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      return `${escaped(vscode.l10n.t('This is not valid TeX: {0}.', error.message))}\n\n${fenced(tex.slice(0, 2000))}`;
    }
  }
}

interface HoverCommand {
  readonly command: string;
  readonly title: string;
}

async function availableCommands(): Promise<readonly HoverCommand[]> {
  const all: readonly HoverCommand[] = [
    { command: COMMANDS.explain, title: vscode.l10n.t('Explain') },
    { command: COMMANDS.solve, title: vscode.l10n.t('Solve') },
    { command: COMMANDS.difficulty, title: vscode.l10n.t('Difficulty') },
  ];
  const known = new Set(await vscode.commands.getCommands(true));
  return all.filter(({ command }) => known.has(command));
}

function links(document: vscode.TextDocument, { start, end }: Formula, commands: readonly HoverCommand[]): string {
  const place = { uri: document.uri.toString(), start, end };
  return commands.map(({ command, title }) => `[${escaped(title)}](${commandLink(command, place)})`).join(' \\| ');
}

async function withinTime<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => { resolve(null); }, ms);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
