/** The HTML of the comparison: one script, its style sheets, and a policy that allows nothing else. Pure. */

export interface ComparisonPageParts {
  readonly nonce: string;
  /** Source expression of the webview's own files. */
  readonly cspSource: string;
  readonly script: string;
  readonly styles: readonly string[];
  readonly language: string;
  readonly title: string;
}

export function comparisonPage({ nonce, cspSource, script, styles, language, title }: ComparisonPageParts): string {
  const policy = `default-src 'none'; style-src ${cspSource}; font-src ${cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  const head = [
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ...styles.map((href) => `<link rel="stylesheet" href="${attribute(href)}">`),
    `<title>${attribute(title)}</title>`,
  ];
  const body = `<script nonce="${nonce}" src="${attribute(script)}"></script>`;
  return `<!DOCTYPE html>\n<html lang="${attribute(language)}">\n<head>\n${head.join('\n')}\n</head>\n<body>\n${body}\n</body>\n</html>`;
}

function attribute(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
