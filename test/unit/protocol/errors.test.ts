import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, TahError } from '../../../src/protocol/errors.ts';

const documented = fs.readFileSync(path.join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');

describe('errors', () => {
  it('docs/errors.md explains every code with what happened and what to do, and none that does not exist', () => {
    const inDocs = [...documented.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
    expect(inDocs.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
    const explained = [...documented.matchAll(/^\| `([^`]+)` \| \S.{7,} \| \S.{5,} \|$/gm)].map((match) => match[1]);
    expect(explained).toEqual(inDocs);
  });

  it('its table of symptoms names only codes that exist', () => {
    const table = documented.slice(documented.indexOf('## From symptom to code'), documented.indexOf('## Checkpoint'));
    const named = [...table.matchAll(/`((?:[a-z-]+)\.[a-z-]+)`/g)].map((match) => match[1] ?? '').filter((name) => name !== 'http.proxy');
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !Object.hasOwn(ERROR_CODES, name))).toEqual([]);
  });

  it('travels as data and comes back as it was', () => {
    const error = new TahError('model.corrupted', 'x is cut.', { file: '/m/x', hint: 'Import again.', subject: 'x' });
    const back = TahError.fromData(JSON.parse(JSON.stringify(error.toData())) as ReturnType<TahError['toData']>);
    expect(back).toMatchObject({ code: 'model.corrupted', message: 'x is cut.', file: '/m/x', hint: 'Import again.', subject: 'x' });
    expect(back.isUserFault).toBe(true);
  });

  it('anything else that is thrown is our fault', () => {
    expect(TahError.from(new RangeError('oops'))).toMatchObject({ code: 'internal', message: 'oops', isUserFault: false });
  });
});
