/**
 * The decorations of difficulty: four strengths of fill (an outline in high contrast), an underline below second
 * passes that needs no colour, and marks in the overview ruler. Colours are the extension's own theme colours.
 * Knows levels and ranges; not where they come from.
 */

import * as vscode from 'vscode';
import type { Level } from './measuredToken.ts';

export interface Mark {
  readonly range: vscode.Range;
  readonly level: Level;
  /** Had a second pass. */
  readonly sent: boolean;
  /** In the overview ruler too. */
  readonly inRuler: boolean;
}

/** High contrast has outlines instead of fills: `thinkAtHard.difficultyOutline` is transparent elsewhere. */
const OUTLINES = ['none', '1px dotted', '1px dashed', '1px solid'] as const;

export class MarkStyles {
  private readonly levels: readonly vscode.TextEditorDecorationType[];
  private readonly sent: vscode.TextEditorDecorationType;
  private readonly ruler: vscode.TextEditorDecorationType;

  constructor() {
    const rangeBehavior = vscode.DecorationRangeBehavior.ClosedClosed;
    this.levels = OUTLINES.map((outline, i) =>
      vscode.window.createTextEditorDecorationType({
        rangeBehavior,
        backgroundColor: new vscode.ThemeColor(`thinkAtHard.difficulty${i + 1}`),
        ...(outline === 'none' ? {} : { outline, outlineColor: new vscode.ThemeColor('thinkAtHard.difficultyOutline') }),
      }),
    );
    this.sent = vscode.window.createTextEditorDecorationType({ rangeBehavior, textDecoration: 'underline double' });
    this.ruler = vscode.window.createTextEditorDecorationType({
      rangeBehavior,
      overviewRulerColor: new vscode.ThemeColor('thinkAtHard.difficultyRuler'),
      overviewRulerLane: vscode.OverviewRulerLane.Right,
    });
  }

  apply(editor: vscode.TextEditor, marks: readonly Mark[]): void {
    const ranges = (wanted: (mark: Mark) => boolean): vscode.Range[] => marks.filter(wanted).map(({ range }) => range);
    this.levels.forEach((type, i) => {
      editor.setDecorations(type, ranges(({ level }) => level === i + 1));
    });
    editor.setDecorations(this.sent, ranges(({ sent }) => sent));
    editor.setDecorations(this.ruler, ranges(({ inRuler }) => inRuler));
  }

  dispose(): void {
    for (const type of [...this.levels, this.sent, this.ruler]) type.dispose();
  }
}
