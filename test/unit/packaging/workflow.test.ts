/** The workflow of CI: what a slip in it would let through unseen, since no test runs it. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const workflow = readFileSync(join(root, '.github/workflows/ci.yml'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };

describe('the workflow of CI', () => {
  it('takes every action by its commit, with the version beside it', () => {
    const uses = [...workflow.matchAll(/uses: (.+)$/gm)].map(([, what]) => what ?? '');
    expect(uses.length).toBeGreaterThan(5);
    expect(uses.filter((what) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(what))).toEqual([]);
  });

  it('gives one action one commit', () => {
    const versions = new Map<string, Set<string>>();
    for (const [, name = '', commit = ''] of workflow.matchAll(/uses: ([\w/-]+)@(\S+)/g)) versions.set(name, (versions.get(name) ?? new Set()).add(commit));
    expect([...versions].filter(([, commits]) => commits.size > 1)).toEqual([]);
  });

  it('ends each job in time', () => {
    const jobs = workflow.slice(workflow.indexOf('\njobs:')).split(/^ {2}(?=\w+:\n)/m).slice(1);
    expect(jobs.length).toBeGreaterThanOrEqual(2);
    for (const job of jobs) expect(Number(/timeout-minutes: (\d+)/.exec(job)?.[1] ?? 'none')).toSatisfy((minutes: number) => minutes <= 60 || job.includes('schedule'));
  });

  it('may only read, runs .ci/run, and calls only scripts that exist', () => {
    expect(workflow).toMatch(/^permissions:\n {2}contents: read$/m);
    expect(workflow).toContain('run: .ci/run');
    // Windows has no such bit.
    if (process.platform !== 'win32') expect(statSync(join(root, '.ci/run')).mode & 0o111).not.toBe(0);
    const called = [...workflow.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name]) => name ?? '');
    expect(called.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('keeps screenshots, bench table and packages', () => {
    for (const path of ['artifacts/e2e', 'artifacts/bench.txt', 'artifacts/*.vsix']) expect(workflow).toContain(path);
  });
});
