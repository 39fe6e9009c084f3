import { describe, expect, it } from 'vitest';
import { markOf, Origins } from '../../../src/host/origins.ts';
import type { Edit } from '../../../src/host/origins.ts';

const URI = 'vscode-notebook-cell:/a.ipynb#W0';

/** A document, its problem between `[` and `]`, after edits. */
function problemAfter(marked: string, ...edits: readonly Edit[]): string {
  const start = marked.indexOf('[');
  const end = marked.indexOf(']') - 1;
  const origins = new Origins();
  origins.set('run', { uri: URI, start, offset: end, text: markOf(marked.slice(start + 1, end + 1)) });
  origins.applyEdits(URI, edits);
  const now = origins.get('run');
  let text = marked.replace(/[[\]]/g, '');
  for (const edit of [...edits].sort((a, b) => b.offset - a.offset)) text = text.slice(0, edit.offset) + '+'.repeat(edit.inserted) + text.slice(edit.offset + edit.removed);
  return `${text.slice(0, now?.start)}[${text.slice(now?.start, now?.offset)}]${text.slice(now?.offset)}`;
}

describe('where a problem stood', () => {
  it('moves with the text before it, and not with what comes after', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 0, removed: 1, inserted: 3 })).toBe('+++b[xyz]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 6, removed: 1, inserted: 3 })).toBe('ab[xyz]c+++');
  });

  it('does not grow by what is put in at its ends', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 2, removed: 0, inserted: 2 })).toBe('ab++[xyz]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 5, removed: 0, inserted: 2 })).toBe('ab[xyz]++cd');
  });

  it('is what it was edited to', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 3, removed: 1, inserted: 4 })).toBe('ab[x++++z]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 2, removed: 3, inserted: 5 })).toBe('ab[+++++]cd');
    expect(problemAfter('ab[xyz]cd', { offset: 2, removed: 3, inserted: 0 })).toBe('ab[]cd');
  });

  it('follows several edits at once', () => {
    expect(problemAfter('ab[xyz]cd', { offset: 0, removed: 0, inserted: 2 }, { offset: 3, removed: 1, inserted: 0 }, { offset: 6, removed: 1, inserted: 1 })).toBe('++ab[xz]c+');
  });

  it('is not moved by edits of another document, and is copied with a run', () => {
    const origins = new Origins();
    const origin = { uri: URI, offset: 4, text: markOf('abcd') };
    origins.set('run', origin);
    origins.applyEdits('file:///b', [{ offset: 0, removed: 0, inserted: 9 }]);
    origins.copy('run', 'branch');
    origins.forget('run');
    expect([origins.get('run'), origins.get('branch')]).toEqual([null, origin]);
  });
});
