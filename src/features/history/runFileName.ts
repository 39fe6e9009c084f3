/** The name that a saved run is offered: words of its problem, so that a folder of runs can be read. Pure. */

import type { Run } from '../../protocol/run.ts';

const LONGEST_NAME = 48;

export function runFileName({ problem, createdAt }: Pick<Run, 'problem' | 'createdAt'>): string {
  const words = problem.normalize('NFC').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '');
  const cut = Array.from(words).slice(0, LONGEST_NAME).join('').replace(/-+$/, '');
  return `${cut === '' ? `run-${createdAt.slice(0, 10)}` : cut.toLowerCase()}.tahrun.json`;
}
