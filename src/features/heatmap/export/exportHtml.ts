/**
 * The heatmap as a page of its own: opens in any browser, without scripts, references or fonts from elsewhere, and says
 * so in its policy. Holds the tokens in the colours of the theme and a table of what second passes changed. Pure.
 */

import type { Candidate, TokenEvent } from '../../../protocol/engine.ts';
import type { Palette } from '../../../protocol/heatmap.ts';
import { firstScore, secondThought } from '../../../protocol/run.ts';
import type { Run } from '../../../protocol/run.ts';
import { HEAT_SHARES, heatBucket, printable, visibleText } from '../../../protocol/tokenRow.ts';
import { answerOf, escapeMarkup, heatColour, heatLine, runFacts } from './exportedRun.ts';

const SHOWN_CANDIDATES = 5;

export function exportHtml(run: Run, palette: Palette): string {
  const answer = answerOf(run);
  const sent = run.tokens.filter(({ iterCount }) => iterCount > 1);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(`Think-at-Hard: ${printable(run.problem).slice(0, 80)}`)}</title>
<style>
${styles(palette)}
</style>
</head>
<body>
<main>
<h1>${escapeMarkup(run.problem)}</h1>
<dl>${runFacts(run).map(({ label, value }) => `<div><dt>${escapeMarkup(label)}</dt><dd>${escapeMarkup(value)}</dd></div>`).join('')}</dl>
${answer === '' ? '' : `<h2>Answer</h2>\n<pre>${escapeMarkup(answer)}</pre>`}
<h2>Where it thought twice</h2>
<p class="key">The stronger a token is coloured, the harder the model found it. <span class="sent">Double underline</span>: it had a second pass. ▴: that changed the pick.</p>
<p class="tokens">${run.tokens.map(tokenMarkup).join('')}</p>
${sent.length === 0 ? '' : sentTable(sent)}
</main>
</body>
</html>
`;
}

function styles(palette: Palette): string {
  const heat = HEAT_SHARES.map((_, bucket) => {
    const fill = heatColour(bucket / 10, palette);
    const line = heatLine(bucket / 10, palette);
    const border = line === 'none' ? '' : line === 'box' ? 'outline: 1px solid;' : `border-bottom: 1px ${line};`;
    return fill === null && border === '' ? '' : `.h${bucket} { ${fill === null ? '' : `background: ${fill};`} ${border} }`;
  }).filter((rule) => rule !== '');
  return `body { margin: 0; color: ${palette.foreground}; background: ${palette.background}; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.5rem; }
h1 { font-size: 1.3rem; white-space: pre-wrap; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin-top: 2rem; }
dl { display: flex; flex-wrap: wrap; gap: 0.3rem 1.6rem; margin: 0; }
dt, .key, caption { color: ${palette.muted}; font-size: 0.9rem; }
dd { margin: 0; overflow-wrap: anywhere; }
pre, .tokens, code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
.tokens { line-height: 2; }
.tokens span { padding: 2px 0; border-radius: 2px; }
.sent { text-decoration: underline double; text-underline-offset: 3px; }
.pick::after { content: '\\25b4'; font-size: 0.6em; vertical-align: super; }
${heat.join('\n')}
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 0.4rem 0; }
th, td { padding: 2px 10px 2px 0; text-align: left; vertical-align: top; }
@media print { body { background: none; } }`;
}

function tokenMarkup(token: TokenEvent): string {
  const thought = secondThought(token);
  const score = firstScore(token);
  const classes = [`h${heatBucket(score) ?? 0}`, ...(token.iterCount > 1 ? ['sent'] : []), ...(thought === 'changed the pick' ? ['pick'] : [])];
  const text = escapeMarkup(visibleText(token)).replaceAll('⏎', '⏎\n');
  return `<span class="${classes.join(' ')}"${score === null ? '' : ` title="score ${score.toFixed(3)}"`}>${text}</span>`;
}

function sentTable(tokens: readonly TokenEvent[]): string {
  const rows = tokens.map((token) => `<tr><td>${token.index + 1}</td><td><code>${escapeMarkup(visibleText(token))}</code></td><td>${firstScore(token)?.toFixed(3) ?? '–'}</td><td>${secondThought(token) ?? ''}</td><td>${list(token.before)}</td><td>${list(token.after)}</td></tr>`);
  return `<table>
<caption>Second passes: the first candidates before and after</caption>
<thead><tr><th scope="col">Token</th><th scope="col">Text</th><th scope="col">Score</th><th scope="col">Second pass</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function list(candidates: readonly Candidate[]): string {
  return candidates.slice(0, SHOWN_CANDIDATES).map(({ text, logprob }) => `<code>${escapeMarkup(printable(text))}</code> ${(Math.exp(logprob) * 100).toFixed(1)} %`).join('<br>');
}
