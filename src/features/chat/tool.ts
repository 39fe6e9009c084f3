/**
 * The tool `thinkAtHard_solve` for agents and other extensions: solves a problem with the chosen model, has the answer
 * checked by computer algebra, and says what came of it in words that a language model can trust. Opens no panel.
 */

import * as vscode from 'vscode';
import { extractAnswer } from '../../answer/extract.ts';
import { abortOf } from '../../host/abort.ts';
import { logError } from '../../host/errors.ts';
import type { Services } from '../../host/services.ts';
import { withTemperature } from '../../host/settings.ts';
import type { AnswerCheck } from '../../protocol/answer.ts';
import { TahError } from '../../protocol/errors.ts';
import { readToolInput, toolReport } from './toolReport.ts';

export const TOOL = 'thinkAtHard_solve';

export function registerSolveTool(services: Services): vscode.Disposable {
  const tool: vscode.LanguageModelTool<unknown> = {
    prepareInvocation: () => ({ invocationMessage: vscode.l10n.t('Solving step by step and checking the answer') }),
    invoke: async ({ input }, token) => {
      try {
        return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(await solve(services, readToolInput(input), token))]);
      } catch (thrown) {
        const error = logError(services.log, thrown);
        if (error.code === 'cancelled') throw new vscode.CancellationError();
        throw new Error(error.hint === undefined ? error.message : `${error.message} ${error.hint}`);
      }
    },
  };
  return vscode.lm.registerTool(TOOL, tool);
}

async function solve(services: Services, problem: string, token: vscode.CancellationToken): Promise<string> {
  const settings = services.settings();
  const model = await services.models.choose(settings.model);
  const abort = abortOf(token);
  try {
    // Loaded when the tool is used, not with the window.
    const { judgeScope } = await import('../../answer/scopeFile.ts');
    const before = await judgeScope(model.path, problem, null);
    let text = '';
    let name = model.name;
    let ended = false;
    const events = services.engine.generate({
      model: model.path,
      prompt: { kind: 'chat', messages: [{ role: 'user', content: problem }] },
      policy: model.maxIter === 1 ? { kind: 'never' } : settings.policy,
      maxTokens: settings.maxTokens,
      topCandidates: 1,
      provider: settings.provider,
      ...(settings.temperature === null ? {} : { sampling: withTemperature(model.generation, settings.temperature) }),
    }, abort.signal);
    for await (const event of events) {
      if (event.type === 'start') name = event.model.name;
      else if (event.type === 'token') text += event.token.text;
      else if (event.type === 'end') ended = event.reason !== 'max-tokens' && event.reason !== 'context-limit';
    }
    const scope = before?.state === 'outside' ? before : await judgeScope(model.path, problem, text);
    const answer = extractAnswer(text);
    const check: AnswerCheck | null = answer === null ? null : await services.checkAnswer(problem, answer, abort.signal);
    if (abort.signal.aborted) throw new TahError('cancelled', 'Stopped.');
    return toolReport({ model: name, text, answer, check, ended, outside: scope?.state === 'outside' });
  } finally {
    abort.dispose();
  }
}
