/** `tah scope TASK`: which questions of a task are outside of a model's subjects, before it has written anything. */
import { ScopeJudge } from '../answer/scope.ts';
import { readSubjects } from '../answer/scopeFile.ts';
import { wilsonInterval } from '../eval/scorecard.ts';
import { loadTask } from '../eval/tasks/loadTask.ts';
import { TahError } from '../protocol/errors.ts';
import type { OutsideReason } from '../protocol/scope.ts';
import { resolveModel } from './models.ts';
import { reasonText } from './scopeText.ts';
import type { Terminal } from './terminal.ts';

export interface ScopeCommand {
  readonly model?: string;
  readonly data?: string;
}

interface Group {
  readonly family: string;
  questions: number;
  outside: number;
}

export async function scopeCommand(taskName: string, options: ScopeCommand, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const task = await loadTask(taskName, options.data === undefined ? {} : { file: options.data });
  const model = await resolveModel(options.model, terminal, signal);
  const declared = await readSubjects(model);
  if (declared === null) throw new TahError('input.bad-option', `${model} declares no subjects, so no question is outside of them.`, { subject: '--model', hint: 'Only models with a subjects.json do.' });
  const judge = new ScopeJudge(declared);
  const groups = new Map<string, Group>();
  const reasons: Partial<Record<OutsideReason['kind'], number>> = {};
  const inside: string[] = [];
  let outside = 0;
  for (const { question, family = 'all' } of task.problems) {
    const group = groups.get(family) ?? { family, questions: 0, outside: 0 };
    groups.set(family, group);
    group.questions++;
    const verdict = judge.judgeQuestion(question);
    if (verdict.state === 'inside') {
      inside.push(question);
      continue;
    }
    outside++;
    group.outside++;
    reasons[verdict.reason.kind] = (reasons[verdict.reason.kind] ?? 0) + 1;
    if (terminal.json || task.problems.length > 40) continue;
    terminal.print(`${JSON.stringify(question)}: ${reasonText(verdict.reason)}`);
  }
  const questions = task.problems.length;
  const [low, high] = wilsonInterval(outside, questions);
  if (terminal.json) {
    terminal.document({ task: task.id, questions, outside, share: questions === 0 ? 0 : outside / questions, interval: [low, high], reasons, families: [...groups.values()], inside: inside.slice(0, 50) });
    return;
  }
  const width = Math.max(...[...groups.keys()].map((family) => family.length), 3);
  for (const group of groups.values()) terminal.print(`${group.family.padEnd(width)}  ${String(group.outside).padStart(5)} of ${group.questions} outside`);
  terminal.print(`${'all'.padEnd(width)}  ${String(outside).padStart(5)} of ${questions} outside (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %)`);
}
