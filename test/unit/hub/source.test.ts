/** What a user may type as a repository, and what never becomes part of a URL or a folder. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_HUB, describeSource, folderNameOf, parseHubUrl, parseSource } from '../../../src/hub/source.ts';
import { formatBytes, formatDuration, ProgressMeter, type DownloadProgress } from '../../../src/hub/progress.ts';

describe('a repository', () => {
  it.each([
    ['owner/name', 'owner/name', 'main'],
    [' owner/name@v1.0 ', 'owner/name', 'v1.0'],
    ['owner/name@refs/pr/3', 'owner/name', 'refs/pr/3'],
    ['gpt2', 'gpt2', 'main'],
    [`${DEFAULT_HUB}/owner/name`, 'owner/name', 'main'],
    [`${DEFAULT_HUB}/owner/name/`, 'owner/name', 'main'],
    [`${DEFAULT_HUB}/owner/name/tree/abc123`, 'owner/name', 'abc123'],
    [`${DEFAULT_HUB}/owner/name/blob/refs%2Fpr%2F1/config.json?x=1`, 'owner/name', 'refs/pr/1'],
  ])('%s', (text, repository, revision) => {
    expect(parseSource(text, DEFAULT_HUB)).toEqual({ hub: DEFAULT_HUB, repository, revision });
  });

  it('by an address below a mirror with a path', () => {
    expect(parseSource('https://mirror.example/hf/owner/name', 'https://mirror.example/hf')).toEqual({ hub: 'https://mirror.example/hf', repository: 'owner/name', revision: 'main' });
  });

  it("by another hub's address: that hub, so that no token of this one goes there", () => {
    expect(parseSource('https://other.example/owner/name', DEFAULT_HUB).hub).toBe('https://other.example');
  });

  it.each(['', 'a/b/c', '../x', 'owner/..', 'owner/na me', 'owner/name@', 'owner/name@../x', 'owner/name@a//b', 'owner/x\u0000', '-x/y', 'https://x.example/', 'https://x.example/a/b/settings', 'https://x.example/a/b/tree/%zz', 'ftp://x/a/b'])('refuses %j', (text) => {
    expect(() => parseSource(text, DEFAULT_HUB)).toThrow(/not the name|not a revision|no repository|not the address/);
  });

  it('has a folder of its own per hub and revision', () => {
    const base = { hub: DEFAULT_HUB, repository: 'a/b', revision: 'main' };
    const names = [base, { ...base, revision: 'v1' }, { ...base, hub: 'http://127.0.0.1:80' }].map(folderNameOf);
    expect(names).toEqual(['a--b', 'a--b--v1', '127.0.0.1--a--b']);
    expect([describeSource(base), describeSource({ ...base, revision: 'v1' })]).toEqual(['a/b', 'a/b@v1']);
  });
});

describe('the address of a hub', () => {
  it('loses the slash at its end', () => {
    expect(parseHubUrl('https://mirror.example/hf/')).toBe('https://mirror.example/hf');
  });

  it.each(['mirror.example', 'ftp://x', 'https://user:secret@x.example', 'https://x.example?y'])('refuses %s', (text) => {
    expect(() => parseHubUrl(text)).toThrow(/not the address of a hub/);
  });
});

describe('progress', () => {
  it('speed and time left count what came over the network, not what was on the disk', () => {
    let now = 0;
    const steps: DownloadProgress[] = [];
    const meter = new ProgressMeter(10_000, (step) => steps.push(step), () => now);
    meter.set('a', 5000, 'disk');
    meter.set('a', 5000, 'network');
    now = 1000;
    meter.set('a', 6000, 'network');
    expect(steps.at(-1)).toMatchObject({ doneBytes: 6000, bytesPerSecond: 1000, secondsLeft: 4 });
    // Long ago doesn't count.
    now = 60_000;
    meter.set('a', 6000, 'network');
    now = 61_000;
    meter.set('a', 6500, 'network');
    expect(steps.at(-1)?.bytesPerSecond).toBeLessThan(600);
  });

  it('in words', () => {
    expect([formatBytes(3_440_000_000), formatBytes(5_500_000), formatBytes(900), formatBytes(1500)]).toEqual(['3.4 GB', '5.5 MB', '900 B', '2 kB']);
    expect([formatDuration(3.2), formatDuration(200), formatDuration(7500)]).toEqual(['4 s', '3 min 20 s', '2 h 5 min']);
  });
});
