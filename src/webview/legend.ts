/** The key to the heatmap's colours and marks. The marks of a threshold that is looked at appear with it. */

import { TEST_ID } from '../protocol/heatmap.ts';
import { element } from './dom.ts';
import { l10n } from './texts.ts';

export class Legend {
  readonly node: HTMLElement;
  private readonly preview: readonly HTMLElement[];

  constructor() {
    const scale = element('span', { className: 'scale', attributes: { role: 'img', 'aria-label': l10n.t('Colour from score 0, easy, to score 1, hard') } });
    for (let bucket = 0; bucket <= 10; bucket++) scale.append(element('span', { className: `swatch heat-${bucket}` }));
    this.preview = [sample('would', l10n.t('would be sent')), sample('sent would-not', l10n.t('would not be sent')), sample('first-difference', l10n.t('first possible difference'))];
    this.node = element('div', {
      className: 'legend',
      testId: TEST_ID.legend,
      children: [element('span', { text: l10n.t('easy') }), scale, element('span', { text: l10n.t('hard') }), sample('sent', l10n.t('second pass')), sample('sent pick', l10n.t('changed the pick')), ...this.preview],
    });
    this.showPreview(false);
  }

  showPreview(shown: boolean): void {
    for (const node of this.preview) node.hidden = !shown;
  }
}

function sample(classes: string, text: string): HTMLElement {
  return element('span', { className: 'legend-item', children: [element('span', { className: `token ${classes}`, text: 'ab', attributes: { 'aria-hidden': 'true' } }), element('span', { text })] });
}
