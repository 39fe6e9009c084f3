/** The pages that people read: no link, picture, anchor, file, script, setting or command in them that does not exist. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const LARGEST_PICTURE = 200 * 1024;

const markdownIn = (folder: string): readonly string[] => readdirSync(join(root, folder)).filter((name) => name.endsWith('.md')).map((name) => join(folder, name));

const pages = [
  ...markdownIn('.'),
  ...markdownIn('docs'),
  'training/README.md',
  ...readdirSync(join(root, 'models')).map((model) => join('models', model, 'README.md')),
  'test/golden/vectors/README.md',
];

interface Page {
  /** Where links and pictures lead, as written. */
  readonly targets: readonly string[];
  readonly pictures: readonly string[];
  readonly anchors: ReadonlySet<string>;
  /** Inline code and lines of code blocks. */
  readonly code: readonly string[];
}

/** As GitHub makes an anchor of a heading; a second one of the same name gets a number. */
function anchorOf(heading: string, taken: ReadonlySet<string>): string {
  const anchor = heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
  let free = anchor;
  for (let count = 1; taken.has(free); count += 1) free = `${anchor}-${count}`;
  return free;
}

const parsed = new Map<string, Page>();

/** @param page path relative to the root */
function read(page: string): Page {
  const known = parsed.get(page);
  if (known !== undefined) return known;
  const targets: string[] = [];
  const pictures: string[] = [];
  const anchors = new Set<string>();
  const code: string[] = [];
  let heading = false;
  for (const token of new MarkdownIt({ html: true }).parse(readFileSync(join(root, page), 'utf8'), {})) {
    if (token.type === 'heading_open') heading = true;
    if (token.type === 'fence' || token.type === 'code_block') code.push(...token.content.split('\n'));
    if (token.type !== 'inline') continue;
    const children = token.children ?? [];
    if (heading) anchors.add(anchorOf(children.filter(({ type }) => type === 'text' || type === 'code_inline').map(({ content }) => content).join(''), anchors));
    heading = false;
    for (const child of children) {
      if (child.type === 'link_open') targets.push(String(child.attrGet('href') ?? ''));
      if (child.type === 'image') pictures.push(String(child.attrGet('src') ?? ''));
      if (child.type === 'code_inline') code.push(child.content);
    }
  }
  const page_ = { targets: [...targets, ...pictures], pictures, anchors, code };
  parsed.set(page, page_);
  return page_;
}

/** What is wrong with a link of a page, or null. Other hosts are not asked. */
function faultOf(page: string, target: string): string | null {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return null;
  const [path = '', anchor] = decodeURI(target).split('#');
  const file = path === '' ? page : relative(root, join(root, dirname(page), path));
  if (file.startsWith('..')) return `${target} leads out of the repository`;
  if (!existsSync(join(root, file))) return `${target} leads nowhere`;
  if (anchor !== undefined && !(file.endsWith('.md') && read(file).anchors.has(anchor))) return `${target}: there is no such heading`;
  return null;
}

describe.each(pages)('%s', (page) => {
  it('has no dead link, picture or anchor', () => {
    expect(read(page).targets.map((target) => faultOf(page, target)).filter((fault) => fault !== null)).toEqual([]);
  });

  it('names no file that is not there', () => {
    const named = read(page).code.flatMap((text) => /^(?:src|test|scripts|docs|media|training|models)\/[\w./-]*\w$/.exec(text.trim())?.[0] ?? []);
    // Relative to the root, as in prose; a page in a folder of its own may mean its own files.
    expect(named.filter((file) => !existsSync(join(root, file)) && !existsSync(join(root, dirname(page), file)))).toEqual([]);
  });

  it('names no script, setting or option of the package script that does not exist', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
      readonly contributes: { readonly configuration: { readonly properties: Readonly<Record<string, unknown>> } };
    };
    const text = read(page).code.join('\n');
    const scripts = [...text.matchAll(/npm run (?:-s |--silent )?([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(scripts.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
    const settings = read(page).code.flatMap((one) => /^thinkAtHard\.\w+$/.exec(one)?.[0] ?? []);
    // In ARCHITECTURE.md and its like a name may be a view or a command: those are in the manifest too.
    expect(settings.filter((name) => !JSON.stringify(manifest.contributes).includes(`"${name}"`))).toEqual([]);
  });

  it('has pictures that load fast', () => {
    for (const picture of read(page).pictures.filter((target) => !/^[a-z]+:/i.test(target))) {
      expect([picture, statSync(join(root, dirname(page), picture)).size]).toSatisfy(([, size]: [string, number]) => size <= LARGEST_PICTURE);
    }
  });
});

it('the test sees what is wrong', () => {
  expect(faultOf('README.md', 'docs/nowhere.md')).toMatch(/leads nowhere/);
  expect(faultOf('README.md', 'docs/errors.md#no-such-heading')).toMatch(/no such heading/);
  expect(faultOf('docs/errors.md', '../../elsewhere.md')).toMatch(/out of the repository/);
  expect(faultOf('README.md', 'docs/errors.md#model-folder')).toBeNull();
});

it('every page of docs/ can be reached from README.md by links', () => {
  const seen = new Set<string>();
  const walk = (page: string): void => {
    if (seen.has(page) || !page.endsWith('.md') || !existsSync(join(root, page))) return;
    seen.add(page);
    for (const target of read(page).targets) if (!/^[a-z]+:/i.test(target)) walk(relative(root, join(root, dirname(page), decodeURI(target.split('#')[0] ?? ''))));
  };
  walk('README.md');
  expect(markdownIn('docs').filter((page) => !seen.has(page))).toEqual([]);
});
