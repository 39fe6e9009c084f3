/**
 * What Diagnose says, as data and as Markdown to paste into an issue. No problem, answer, path or name of a person is
 * part of the data; what came from elsewhere goes through the privacy filter once more when it is written.
 * Pure: the extension and the command line collect, each what it knows.
 */

export interface ModelLine {
  readonly id: string;
  readonly source: string;
  readonly quantization: string;
  readonly parameters: number;
  readonly maxIter: number;
  /** Of the weights; its first part is enough to tell models apart. */
  readonly hash: string;
}

export interface Report {
  readonly versions: readonly Named[];
  readonly system: readonly Named[];
  readonly engine: readonly Named[];
  readonly providers: readonly Named[];
  readonly models: readonly ModelLine[];
  /** Folders that look like models and can't be used: the codes of their errors. */
  readonly brokenModels: readonly string[];
  /** Only what differs from the default. */
  readonly settings: readonly Named[];
  readonly errors: readonly { readonly code: string; readonly count: number; readonly last: string }[];
  readonly selfCheck: { readonly ok: boolean; readonly text: string };
}

export interface Named {
  readonly name: string;
  readonly value: string;
}

/** @param filter applied to every text: a name can hold a path too */
export function renderReport(report: Report, filter: (text: string) => string): string {
  const row = ({ name, value }: Named): string => `| ${cell(filter(name))} | ${cell(filter(value))} |`;
  const table = (head: string, rows: readonly Named[]): string[] => (rows.length === 0 ? [] : ['', `## ${head}`, '', '| | |', '|---|---|', ...rows.map(row)]);
  const models = report.models.map((model) => ({
    name: filter(model.id),
    value: `${model.source}, ${model.quantization}, ${(model.parameters / 1e6).toFixed(1)} M parameters, ${model.maxIter > 1 ? `${model.maxIter} passes at most` : 'plain'}, weights ${model.hash.slice(0, 16)}`,
  }));
  const broken = report.brokenModels.map((code) => ({ name: 'cannot be used', value: code }));
  const errors = report.errors.map(({ code, count, last }) => ({ name: code, value: `${count} ×, last at ${last}` }));
  return [
    '# Think-at-Hard: diagnosis',
    '',
    'Made to be pasted into an issue: it holds no problems, answers, paths, or names of people. Read it before you post it.',
    ...table('Versions', report.versions),
    ...table('System', report.system),
    ...table('Engine', report.engine),
    ...table('Providers', report.providers),
    ...table('Models', [...models, ...broken]),
    ...table('Settings that differ from the default', report.settings),
    ...table('Errors of this session', errors),
    '',
    '## Self-check',
    '',
    `${report.selfCheck.ok ? 'Works' : 'Fails'}: ${cell(filter(report.selfCheck.text))}`,
    '',
  ].join('\n');
}

/** One line without what Markdown would read as a table, HTML or a link. */
function cell(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, ' ').replace(/[|<>[\]`*_\\]/g, (mark) => (mark === '<' ? '&lt;' : mark === '>' ? '&gt;' : `\\${mark}`));
}
