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

/** Characters of a long text that are drawn in one go. */
const LONGEST_STEP = 6000;

/** Markdown that grows at its end. */
class GrowingMarkdown {
  private settled = 0;
  private text = '';
  private growing = true;
  private complete = false;
  private live = element('div', { className: 'live' });

  constructor(readonly node: HTMLElement) {
    node.append(this.live);
  }

  /**
   * @param text the whole text; it starts with the last one
   * @returns whether all of it is drawn; a long text takes several calls, so that the page stays usable
   */
  update(text: string, growing: boolean): boolean {
    if (text === this.text && growing === this.growing && this.complete) return true;
    this.text = text;
    this.growing = growing;
    const tail = text.slice(this.settled);
    const part = tail.length > LONGEST_STEP ? settledLength(tail.slice(0, LONGEST_STEP)) : 0;
    this.complete = part === 0;
    if (part > 0) {
      this.live.before(element('div', { children: [renderMarkdown(tail.slice(0, part), false)] }));
      this.settled += part;
      return false;
    }
    const done = growing ? settledLength(tail) : 0;
    if (done > 0) {
      this.live.before(element('div', { children: [renderMarkdown(tail.slice(0, done), false)] }));
      this.settled += done;
    }
    this.live.replaceChildren(renderMarkdown(tail.slice(done), growing));
    return true;
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

  /**
   * @param growing whether the model is still writing
   * @returns whether everything is drawn; if not, call it again at the next frame
   */
  render(growing: boolean): boolean {
    const follow = this.node.scrollTop + this.node.clientHeight >= this.node.scrollHeight - 8;
    const parts = splitThinking(this.text);
    this.thinkingBox.hidden = parts.thinking === null;
    const thought = parts.thinking === null || this.thinking.update(parts.thinking, growing && !parts.thinkingDone);
    // Folded once, when the answer begins; the reader may open it again.
    if (parts.thinking !== null && parts.thinkingDone && !this.thinkingDone) this.thinkingBox.open = false;
    this.thinkingDone = parts.thinkingDone;
    const answered = thought && this.answer.update(parts.answer, growing);
    if (growing && follow) this.node.scrollTop = this.node.scrollHeight;
    return answered;
  }
}
