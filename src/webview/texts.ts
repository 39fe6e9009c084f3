/**
 * Texts of the webview in the user's language. The host sends the translations with the run; until then, and for a
 * text that has none, English is shown. The call is named as VS Code's, so that its tools find the texts.
 */

import type { Texts } from '../protocol/heatmap.ts';

let bundle: Texts = {};

export function setTexts(texts: Texts): void {
  bundle = texts;
}

export const l10n = {
  /** `message` with `{0}`, `{1}` … replaced. */
  t(message: string, ...values: readonly (string | number)[]): string {
    const text = Object.hasOwn(bundle, message) ? (bundle[message] ?? message) : message;
    return text.replace(/\{(\d+)\}/g, (hole, index: string) => {
      const value = values[Number(index)];
      return value === undefined ? hole : String(value);
    });
  },
};
