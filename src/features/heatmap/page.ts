/** The HTML of the run panel: one script, two style sheets, and a policy that allows nothing else. Pure. */

export interface PageParts {
  readonly nonce: string;
  /** Source expression of the webview's own files. */
  readonly cspSource: string;
  readonly script: string;
  readonly styles: readonly string[];
  readonly language: string;
  readonly title: string;
}

export function runPage(parts: PageParts): string {
  const policy = [
    "default-src 'none'",
    `style-src ${parts.cspSource}`,
    `font-src ${parts.cspSource}`,
    // The page's own drawing, on its way to a PNG.
    'img-src blob:',
    `script-src 'nonce-${parts.nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const links = parts.styles.map((href) => `<link rel="stylesheet" href="${escapeAttribute(href)}">`).join('\n');
  return `<!DOCTYPE html>
<html lang="${escapeAttribute(parts.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
${links}
<title>${escapeAttribute(parts.title)}</title>
</head>
<body>
<script nonce="${parts.nonce}" src="${escapeAttribute(parts.script)}"></script>
</body>
</html>`;
}

function escapeAttribute(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
