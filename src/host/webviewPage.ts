/** The HTML around what a webview shows: a policy that allows nothing but what it is told, and texts that stay texts. Pure. */

export interface WebviewPage {
  /** Directives of the policy beside `default-src 'none'`, which no page goes without. */
  readonly policy: readonly string[];
  /** Addresses of style sheets. */
  readonly styles: readonly string[];
  readonly language: string;
  readonly title: string;
  /** HTML, as it is. */
  readonly body: string;
}

export function webviewPage({ policy, styles, language, title, body }: WebviewPage): string {
  const whole = ["default-src 'none'", ...policy, "base-uri 'none'", "form-action 'none'"].join('; ');
  const head = [
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${escapeHtml(whole)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ...styles.map((href) => `<link rel="stylesheet" href="${escapeHtml(href)}">`),
    `<title>${escapeHtml(title)}</title>`,
  ];
  return `<!DOCTYPE html>\n<html lang="${escapeHtml(language)}">\n<head>\n${head.join('\n')}\n</head>\n<body>\n${body}\n</body>\n</html>`;
}

export interface ScriptPage extends Pick<WebviewPage, 'styles' | 'language' | 'title'> {
  readonly nonce: string;
  /** Source expression of the webview's own files. */
  readonly cspSource: string;
  /** Address of the one script. */
  readonly script: string;
}

/** A page whose one script makes all that is in it. @param policy directives beside those of its script, styles and fonts */
export function scriptPage({ nonce, cspSource, script, ...page }: ScriptPage, policy: readonly string[] = []): string {
  return webviewPage({
    ...page,
    policy: [`style-src ${cspSource}`, `font-src ${cspSource}`, ...policy, `script-src 'nonce-${nonce}'`],
    body: `<script nonce="${nonce}" src="${escapeHtml(script)}"></script>`,
  });
}

/** Text as HTML, also between double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
