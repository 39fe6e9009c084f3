/**
 * The answer as it streams in: settled paragraphs are rendered once, only the last part is rendered again.
 * Knows text and DOM; not runs, tokens or messages.
 */

import { TEST_ID } from '../protocol/heatmap.ts';
import { splitThinking } from '../protocol/run.ts';
import { element } from './dom.ts';
import { renderMarkdown } from './markdownView.ts';
import { settledLength } from './settledText.ts';
import { l10n } from './texts.ts';

/** Markdown that grows at its end. */
class GrowingMarkdown {
  private settled = 0;
  private text = '';
  private growing = true;
  private live = element('div', { className: 'live' });

  constructor(readonly node: HTMLElement) {
    node.append(this.live);
  }

  /** @param text the whole text; it starts with the last one */
  update(text: string, growing: boolean): void {
    if (text === this.text && growing === this.growing) return;
    this.text = text;
    this.growing = growing;
    const tail = text.slice(this.settled);
    const done = growing ? settledLength(tail) : 0;
    if (done > 0) {
      this.live.before(element('div', { children: [renderMarkdown(tail.slice(0, done), false)] }));
      this.settled += done;
    }
    this.live.replaceChildren(renderMarkdown(tail.slice(done), growing));
  }
}

export class AnswerView {
  readonly node = element('section', { className: 'answer', attributes: { tabindex: '0' } });
  private text = '';
  private readonly answer: GrowingMarkdown;
  private readonly thinking: GrowingMarkdown;
  private readonly thinkingBox: HTMLDetailsElement;
  private thinkingDone = false;

  constructor() {
    this.node.setAttribute('aria-label', l10n.t('Answer'));
    const thinkingText = element('div', { className: 'markdown', testId: TEST_ID.thinkingText });
    this.thinkingBox = element('details', {
      className: 'thinking',
      children: [element('summary', { text: l10n.t('Thinking') }), thinkingText],
    });
    this.thinkingBox.open = true;
    this.thinkingBox.hidden = true;
    const answerText = element('div', { className: 'markdown', testId: TEST_ID.answerText });
    this.thinking = new GrowingMarkdown(thinkingText);
    this.answer = new GrowingMarkdown(answerText);
    this.node.append(this.thinkingBox, answerText);
  }

  append(text: string): void {
    this.text += text;
  }

  /** @param growing whether the model is still writing */
  render(growing: boolean): void {
    const follow = this.node.scrollTop + this.node.clientHeight >= this.node.scrollHeight - 8;
    const parts = splitThinking(this.text);
    this.thinkingBox.hidden = parts.thinking === null;
    if (parts.thinking !== null) this.thinking.update(parts.thinking, growing && !parts.thinkingDone);
    // Folded once, when the answer begins; the reader may open it again.
    if (parts.thinking !== null && parts.thinkingDone && !this.thinkingDone) this.thinkingBox.open = false;
    this.thinkingDone = parts.thinkingDone;
    this.answer.update(parts.answer, growing);
    if (growing && follow) this.node.scrollTop = this.node.scrollHeight;
  }
}
