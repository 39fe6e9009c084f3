/** A button that opens a menu of a few actions: arrow keys, Escape, and a click beside it, as menus do. Knows no action. */

import { element, icon } from './dom.ts';

export interface MenuItem {
  readonly label: string;
  /** Value of `data-item`. */
  readonly name: string;
  readonly onChoose: () => void;
}

export function menuButton(options: { readonly icon: string; readonly label: string; readonly testId: string; readonly items: readonly MenuItem[] }): HTMLElement {
  const opener = element('button', {
    className: 'icon-button',
    testId: options.testId,
    attributes: { type: 'button', title: options.label, 'aria-label': options.label, 'aria-haspopup': 'menu', 'aria-expanded': 'false' },
    children: [icon(options.icon)],
  });
  const list = element('div', { className: 'menu', attributes: { role: 'menu', 'aria-label': options.label } });
  const node = element('div', { className: 'menu-place', children: [opener, list] });
  let isOpen = false;
  list.hidden = true;
  const show = (open: boolean): void => {
    isOpen = open;
    list.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
  };
  const items = options.items.map(({ label, name, onChoose }) => {
    const item = element('button', { className: 'menu-item', text: label, attributes: { type: 'button', role: 'menuitem', tabindex: '-1', 'data-item': name } });
    item.addEventListener('click', () => {
      show(false);
      opener.focus();
      onChoose();
    });
    return item;
  });
  list.append(...items);
  opener.addEventListener('click', () => {
    show(!isOpen);
    if (isOpen) items[0]?.focus();
  });
  node.addEventListener('keydown', (event) => {
    const at = items.findIndex((item) => item === document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'Escape' && isOpen) {
      show(false);
      opener.focus();
    } else if (next !== undefined && isOpen) {
      items.at(next % items.length)?.focus();
    } else {
      return;
    }
    event.preventDefault();
  });
  node.addEventListener('focusout', (event) => {
    if (!(event.relatedTarget instanceof Node && node.contains(event.relatedTarget))) show(false);
  });
  return node;
}
