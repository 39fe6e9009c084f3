/**
 * The history as a list: open a run of any window, delete one, clear all. Also saves a run as a file. Which runs are
 * kept and where is host/history's; how a run is shown, the panel's.
 */

import * as vscode from 'vscode';
import { registerCommand, showError } from '../../host/errors.ts';
import { findRun } from '../../host/history.ts';
import type { Services } from '../../host/services.ts';
import { phrase, TahError } from '../../protocol/errors.ts';
import type { RunHead } from '../../protocol/run.ts';
import { historyRows } from './order.ts';
import type { HistoryRow } from './order.ts';
import { saveRun } from './saveRun.ts';

export function registerHistory(services: Services): vscode.Disposable {
  return vscode.Disposable.from(
    registerCommand(services.log, 'thinkAtHard.showHistory', () => showHistory(services)),
    registerCommand(services.log, 'thinkAtHard.saveRun', (runId) => saveRun(services.runs.wanted(runId))),
  );
}

interface Item extends vscode.QuickPickItem {
  readonly runId: string;
}

/** Resolves when the list is closed and what was asked for is done. */
async function showHistory(services: Services): Promise<void> {
  const picker = vscode.window.createQuickPick<Item>();
  const clear: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('clear-all'), tooltip: vscode.l10n.t('Clear history…') };
  picker.title = vscode.l10n.t('History');
  picker.placeholder = vscode.l10n.t('A run to open');
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  picker.buttons = [clear];
  const reload = async (): Promise<void> => {
    picker.busy = true;
    picker.items = historyRows(await services.history.list()).map(itemOf);
    picker.busy = false;
    if (picker.items.length === 0) picker.placeholder = vscode.l10n.t('There are no runs yet: solve a problem first.');
  };
  const tell = (error: unknown): void => void showError(services.log, error);
  const chosen = new Promise<{ readonly open: string } | 'clear' | null>((resolve) => {
    picker.onDidAccept(() => {
      const [item] = picker.selectedItems;
      resolve(item === undefined ? null : { open: item.runId });
    });
    picker.onDidTriggerButton(() => {
      resolve('clear');
    });
    picker.onDidHide(() => {
      resolve(null);
    });
    picker.onDidTriggerItemButton(({ item }) => {
      services.history.remove(item.runId).then(reload).catch(tell);
      if (services.runs.get(item.runId) === null) services.origins.forget(item.runId);
    });
  });
  picker.show();
  try {
    await reload();
    const choice = await chosen;
    picker.hide();
    if (choice === 'clear') await clearHistory(services);
    else if (choice !== null) await openRun(services, choice.open);
  } finally {
    picker.dispose();
  }
}

async function openRun({ runs, history }: Services, runId: string): Promise<void> {
  if ((await findRun(runs, history, runId)) === null) throw new TahError('input.missing-file', phrase('The run is no longer in the history.'), { hint: phrase('Another window may have deleted it, or its file is damaged: see the log.') });
  await vscode.commands.executeCommand('thinkAtHard.showPanel', runId);
}

async function clearHistory({ history, origins, runs }: Services): Promise<void> {
  const count = (await history.list()).length;
  if (count === 0) return;
  const confirm = vscode.l10n.t('Delete All');
  const question = count === 1 ? vscode.l10n.t('Delete the one run of the history?') : vscode.l10n.t('Delete all {0} runs of the history?', count);
  const detail = vscode.l10n.t('It is the history of all windows. Runs that you saved as files stay.');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, confirm)) !== confirm) return;
  await history.clear();
  origins.forgetAllBut((runId) => runs.get(runId) !== null);
}

const LONGEST_LABEL = 90;

function itemOf({ entry: { run }, depth }: HistoryRow): Item {
  const trash: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('trash'), tooltip: vscode.l10n.t('Delete from history') };
  const branch = depth === 0 ? '' : `${'\u2003'.repeat(depth)}$(git-branch) `;
  const what = run.branch === null ? plain(run.problem) : branchText(run);
  return {
    runId: run.id,
    label: `${branch}$(${checkIcon(run)}) ${depth === 0 || run.branch === null ? plain(run.problem) : what}`,
    description: run.answer === null ? stateText(run) : `→ ${plain(run.answer)}`,
    detail: [...(depth === 0 && run.branch !== null ? [what] : []), ...comparisonText(run), checkText(run), ...(run.scope?.state === 'outside' ? [vscode.l10n.t('outside of what its model has learned')] : []), ...(run.model === null ? [] : [plain(run.model.name)]), new Date(run.createdAt).toLocaleString(vscode.env.language)].join(' · '),
    buttons: [trash],
  };
}

/** One line, and no icon is made of a user's or a model's text. */
function plain(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().replaceAll('$(', '$ (');
  return line.length <= LONGEST_LABEL ? line : `${line.slice(0, LONGEST_LABEL - 1).trimEnd()}…`;
}

function branchText({ branch }: Pick<RunHead, 'branch'>): string {
  if (branch === null) return '';
  const { change, index } = branch;
  switch (change.kind) {
    case 'threshold':
      return vscode.l10n.t('from token {0}: threshold {1}', index, change.threshold);
    case 'passes':
      return change.iterCount === 1 ? vscode.l10n.t('from token {0}: second pass skipped', index) : vscode.l10n.t('from token {0}: second pass forced', index);
    case 'token':
      return vscode.l10n.t('from token {0}: {1} instead', index, plain(JSON.stringify(change.text)));
    default:
      return change satisfies never;
  }
}

function comparisonText({ comparison }: Pick<RunHead, 'comparison'>): string[] {
  if (comparison === null) return [];
  const { role } = comparison;
  switch (role) {
    case 'never':
      return [vscode.l10n.t('never thinks twice')];
    case 'decider':
      return [vscode.l10n.t('thinks twice where it is hard')];
    case 'always':
      return [vscode.l10n.t('always thinks twice')];
    case 'oracle':
      return [vscode.l10n.t('passes by oracle')];
    default:
      return role satisfies never;
  }
}

function checkIcon({ check, state }: Pick<RunHead, 'check' | 'state'>): string {
  if (state === 'failed') return 'error';
  if (check === null) return 'circle-outline';
  return { verified: 'pass', contradicted: 'warning', unchecked: 'question' }[check.state];
}

function checkText({ check, state }: Pick<RunHead, 'check' | 'state'>): string {
  if (check === null) return stateText({ state });
  switch (check.state) {
    case 'verified':
      return vscode.l10n.t('Verified');
    case 'contradicted':
      return vscode.l10n.t('Contradicted');
    case 'unchecked':
      return vscode.l10n.t('Could not check');
    default:
      return check.state satisfies never;
  }
}

function stateText({ state }: Pick<RunHead, 'state'>): string {
  if (state === 'failed') return vscode.l10n.t('Failed');
  return state === 'stopped' ? vscode.l10n.t('Stopped') : vscode.l10n.t('Done');
}
