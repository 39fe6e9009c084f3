/** Guards against English that no translator ever sees: a visible text written into the code instead of going through l10n. */
import { readFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);

/** Properties, attributes and fields that a user reads or hears. */
const VISIBLE = new Set(['text', 'label', 'title', 'prompt', 'placeHolder', 'placeholder', 'tooltip', 'detail', 'description', 'openLabel', 'saveLabel', 'aria-label', 'aria-description', 'ariaLabel', 'textContent', 'alt']);
const MESSAGES = /^(showInformationMessage|showWarningMessage|showErrorMessage|createWebviewPanel|setStatusBarMessage)$/;
/** The same in every language: the name, units, number formats, and the letters of a legend's sample. */
const SAME_EVERYWHERE = new Set(['Think-at-Hard', 'nats', 'ms', 'int4', 'int8', 'fp32', 'ab']);

/** A report that is pasted into an issue is in English, whoever reads it. */
const IN_ENGLISH = new Set(['src/features/models/diagnose.ts']);

function sourcesIn(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) => readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`));
}

/** What of an expression is text as it stands there; what goes through `l10n.t` or comes from elsewhere is not. */
function writtenTexts(node: ts.Expression): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [node.head.text, ...node.templateSpans.map((span) => span.literal.text)];
  if (ts.isConditionalExpression(node)) return [...writtenTexts(node.whenTrue), ...writtenTexts(node.whenFalse)];
  if (ts.isBinaryExpression(node)) return [...writtenTexts(node.left), ...writtenTexts(node.right)];
  if (ts.isParenthesizedExpression(node)) return writtenTexts(node.expression);
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) return writtenTexts(node.body);
  return [];
}

function untranslated(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(new URL(file, root), 'utf8'), ts.ScriptTarget.ES2023, true);
  const found: string[] = [];
  const look = (expression: ts.Expression): void => {
    for (const text of writtenTexts(expression)) {
      // Icons are names of pictures, an address is one in every language; a word has two letters or more.
      const words = text.replace(/\$\([\w~-]+\)|https?:\/\/\S+/g, '').trim();
      if (/[A-Za-z]{2}/.test(words) && !SAME_EVERYWHERE.has(words)) found.push(`${file}: ${JSON.stringify(text)}`);
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && VISIBLE.has(propertyName(node.name))) look(node.initializer);
    else if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isPropertyAccessExpression(node.left) && VISIBLE.has(node.left.name.text)) look(node.right);
    else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const [first, second] = node.arguments;
      if (node.expression.name.text === 'setAttribute' && first !== undefined && second !== undefined && ts.isStringLiteral(first) && VISIBLE.has(first.text)) look(second);
      if (MESSAGES.test(node.expression.name.text)) for (const argument of node.arguments.slice(node.expression.name.text === 'createWebviewPanel' ? 1 : 0, 2)) look(argument);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function propertyName(name: ts.PropertyName): string {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : '';
}

describe('visible texts', () => {
  it('of host and features all go through l10n', () => {
    const files = sourcesIn('src/features', 'src/host').filter((file) => !IN_ENGLISH.has(file) && readFileSync(new URL(file, root), 'utf8').includes("from 'vscode'"));
    expect(files.length).toBeGreaterThan(5);
    expect(files.flatMap(untranslated)).toEqual([]);
  });

  it('of the webviews all go through l10n', () => {
    const files = sourcesIn('src/webview');
    expect(files.length).toBeGreaterThan(15);
    expect(files.flatMap(untranslated)).toEqual([]);
  });
});
