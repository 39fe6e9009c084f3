/**
 * What a model, a document and a file say, in the Markdown of a comment thread. It is read by a parser that lets
 * everything through: nothing may come of it but text, emphasis, code, lines and pictures that we drew.
 */

import fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { UNREAD, type FormulaFacts } from '../../../src/answer/facts/formulaFacts.ts';
import { explanationParts, type ExplanationState } from '../../../src/features/explainMath/explanation.ts';
import { EXPLANATION_COMMAND } from '../../../src/features/explainMath/commandLink.ts';
import { explanationPage } from '../../../src/features/explainMath/explanationPage.ts';
import { LONGEST_MARKDOWN } from '../../../src/features/explainMath/safeMarkdown.ts';
import { MathService } from '../../../src/host/math/mathService.ts';
import { answerCheck } from '../../../src/protocol/answer.ts';
import { reason } from '../../../src/protocol/reasons.ts';
import { keptRun, keptToken } from '../../fixtures/keptRun.ts';
import { mutateText } from '../mutate/text.ts';
import { Finding, sampled, textOf, type Input, type Outcome, type Subject } from '../target.ts';
import { MARKDOWN, TEX } from './words.ts';

const PARTS = ['answer', 'growing', 'tex', 'words', 'fault', 'reason', 'name'];
const SEEDS = ['<think>First $a$.</think>So **x** = 5 and \\boxed{5}.\n\n- it costs $5\n\n$$y = 1$$', '[x](command:workbench.action.quit) <img src=x onerror=alert(1)>', '\\frac{a}{b}', 'a over b'];
const PAGE = /^<(?:\/?(?:section|h1|h2|p|em|strong|code|pre|a)|br|hr|code class="language-latex"|a href="command:[\w.]+"|img src="data:image\/svg\+xml;base64,[\w+/=]*" width="[\d.]+" height="[\d.]+" alt="[^"<>]*")>$/;
const ALLOWED = /^<(?:\/?(?:p|em|strong|code|pre|br|hr)|code class="language-latex"|img src="data:image\/svg\+xml;base64,[\w+/=]*" alt="[^"<>]*")>$/;
const DRAWN = { svg: '<svg xmlns="http://www.w3.org/2000/svg"/>', width: 9, height: 9 };

/** Draws whatever is asked, or says that it can't, so that both ways are gone. */
const worker = {
  ask: ({ tex }: { readonly tex: string }) => Promise.resolve(tex.length % 3 === 0 ? ({ kind: 'fault', message: `Undefined control sequence ${tex}` } as const) : ({ kind: 'drawing', drawing: DRAWN } as const)),
  dispose: () => undefined,
};

export function open(): Subject {
  const parser = new MarkdownIt({ html: true, linkify: true, breaks: false });
  parser.validateLink = () => true;
  const seeds = SEEDS.map((data): Input => ({ part: 'answer', data }));
  const pieces = [...MARKDOWN.pieces, ...TEX.pieces, '<think>', '</think>', '\\boxed{'];
  return {
    seeds,
    mutate: (seed, random) => ({ part: random.pick(PARTS), data: mutateText(textOf(seed), random, { pieces, pairs: [...MARKDOWN.pairs, ...TEX.pairs], other: textOf(random.pick(seeds)) }, 30_000) }),
    invent: (random) => ({ part: random.pick(PARTS), data: sampled(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 60 }), random).join('') }),
    run: async ({ part, data }): Promise<Outcome> => {
      const parts = await explanationParts(new MathService(worker), stateOf(part, String(data)));
      const whole = explanationPage({ cspSource: 'x', style: 'y', language: 'en', title: 'Explanation', parts });
      checkTags(whole.slice(whole.indexOf('<h1>'), whole.lastIndexOf('</main>')), PAGE, part === 'name' ? 1 : 0);
      for (const { markdown, trusted } of parts) {
        if (markdown.length > LONGEST_MARKDOWN) throw new Finding(`a comment has ${markdown.length} characters, of which VS Code cuts a part`);
        const links = trusted ? markdown.replace(/\n\n\[[^\]]*\]\(command:thinkAtHard\.selectModel\)$/, '') : markdown;
        // VS Code's own notation for the size of an image is none of Markdown.
        checkTags(parser.render(links.replace(/(\(data:image\/svg\+xml;base64,[\w+/=]*)\|width=[\d.]+,height=[\d.]+\)/g, '$1)')), ALLOWED, 0);
      }
      return 'accepted';
    },
  };
}

/** Each tag is one of ours, and as many links lead to our command as may. */
function checkTags(html: string, allowed: RegExp, links: number): void {
  let found = 0;
  for (const [tag] of html.matchAll(/<[^>]*>?/g)) {
    if (!allowed.test(tag)) throw new Finding(`the text makes ${tag.slice(0, 100)}`);
    if (!tag.startsWith('<a ')) continue;
    found++;
    if (tag !== `<a href="command:${EXPLANATION_COMMAND}">`) throw new Finding(`the text makes the link ${tag.slice(0, 100)}`);
  }
  if (found > links) throw new Finding(`there are ${found} links to a command`);
  if (/[\u202a-\u202e\u2066-\u2069]/.test(html)) throw new Finding('a character that reorders the text is left in it');
}

function stateOf(part: string, text: string): ExplanationState {
  const facts: FormulaFacts = { ...UNREAD, reason: part === 'reason' ? reason('unexpected', text) : null, facts: part === 'tex' ? [{ kind: 'simplified', tex: text }, { kind: 'solutions', solutions: [text, text], all: true }] : [] };
  const run = keptRun({ state: part === 'growing' ? 'running' : 'done', tokens: [keptToken(0, part === 'answer' || part === 'growing' ? text : 'x = 5')], check: part === 'reason' ? answerCheck('unchecked', [reason('check-failed', text)]) : { state: 'unchecked', reason: 'no' } });
  return {
    input: { tex: part === 'tex' ? text : 'x', display: true },
    words: part === 'words' ? { kind: 'done', value: text } : part === 'fault' ? { kind: 'failed', message: text } : null,
    facts,
    model: part === 'name' ? { kind: 'not-asked', modelName: text, reason: text } : { kind: 'asked', question: part === 'reason' ? text : 'What is it?', modelName: 'm', run },
  };
}
