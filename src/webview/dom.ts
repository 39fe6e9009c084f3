/** Makes elements with text, classes and test ids. Text only ever becomes text nodes. */

export interface ElementOptions {
  readonly className?: string;
  readonly testId?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly Node[];
}

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, options: ElementOptions = {}): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  if (options.className !== undefined) node.className = options.className;
  if (options.testId !== undefined) node.dataset['testid'] = options.testId;
  if (options.text !== undefined) node.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) node.setAttribute(name, value);
  if (options.children !== undefined) node.append(...options.children);
  return node;
}

/** An element of a drawing. Its geometry is attributes, which a CSP without inline styles allows. */
export function svgElement<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string | number>>, children: readonly Node[] = []): SVGElementTagNameMap[K] {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** A codicon: decoration only, hidden from screen readers. */
export function icon(name: string): HTMLElement {
  return element('span', { className: `codicon codicon-${name}`, attributes: { 'aria-hidden': 'true' } });
}

export interface ButtonOptions {
  readonly icon: string;
  readonly label: string;
  readonly testId: string;
  readonly primary?: boolean;
  readonly onClick: () => void;
}

export function button(options: ButtonOptions): HTMLButtonElement {
  const node = element('button', {
    className: options.primary === true ? 'button' : 'button secondary',
    testId: options.testId,
    attributes: { type: 'button' },
    children: [icon(options.icon), element('span', { text: options.label })],
  });
  node.addEventListener('click', options.onClick);
  return node;
}

/** A button that shows only its icon; the label is its name and tooltip. */
export function iconButton(options: Omit<ButtonOptions, 'primary'>): HTMLButtonElement {
  const node = element('button', {
    className: 'icon-button',
    testId: options.testId,
    attributes: { type: 'button', title: options.label, 'aria-label': options.label },
    children: [icon(options.icon)],
  });
  node.addEventListener('click', options.onClick);
  return node;
}
