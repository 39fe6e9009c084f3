/**
 * Formulas of open documents: found once for each version of a text, at the first question, and kept while the
 * document lives. A hover over the same text costs a binary search.
 */

import type * as vscode from 'vscode';
import { findFormulas } from '../../formula/detection/detect.ts';
import { formulaAround } from '../../formula/detection/formula.ts';
import type { Formula } from '../../formula/detection/formula.ts';
import { expandMacros, readMacros } from '../../formula/detection/macros.ts';
import type { Macros } from '../../formula/detection/macros.ts';

/** Longer documents are data, not texts: nothing is looked for. */
const LONGEST_DOCUMENT = 5_000_000;

interface Known {
  readonly version: number;
  readonly languageId: string;
  readonly formulas: readonly Formula[];
  macros: Macros | null;
}

export class DocumentFormulas {
  private readonly known = new WeakMap<vscode.TextDocument, Known>();

  all(document: vscode.TextDocument): readonly Formula[] {
    return this.of(document).formulas;
  }

  at(document: vscode.TextDocument, position: vscode.Position): Formula | null {
    return formulaAround(this.all(document), document.offsetAt(position));
  }

  /** TeX without commands of the document's author. @throws MacroError */
  expanded(document: vscode.TextDocument, tex: string): string {
    const known = this.of(document);
    known.macros ??= readMacros(document.getText());
    return expandMacros(tex, known.macros);
  }

  private of(document: vscode.TextDocument): Known {
    const before = this.known.get(document);
    if (before?.version === document.version && before.languageId === document.languageId) return before;
    const text = document.getText();
    const formulas = text.length > LONGEST_DOCUMENT ? [] : findFormulas(text, document.languageId);
    const known: Known = { version: document.version, languageId: document.languageId, formulas, macros: null };
    this.known.set(document, known);
    return known;
  }
}
