/** What scripts/fuzz.mjs puts in when it bundles. */

declare module 'webview-views' {
  /** webview/views.ts, which is browser code and so checked with the browser's types. */
  export function drawHostile(part: string, text: string): void;
}
