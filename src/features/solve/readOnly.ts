/**
 * Whether a document may be changed. VS Code applies an extension's edit to a read-only document all the same, and the
 * user could then not undo it; so it is asked here what a user's settings and the file system say.
 */

import * as vscode from 'vscode';

export async function isReadOnly(document: vscode.TextDocument): Promise<boolean> {
  // A cell is as its notebook is.
  const uri = vscode.workspace.notebookDocuments.find((notebook) => notebook.getCells().some((cell) => cell.document === document))?.uri ?? document.uri;
  if (vscode.workspace.fs.isWritableFileSystem(uri.scheme) === false) return true;
  const settings = vscode.workspace.getConfiguration('files', uri);
  const matches = (key: string): boolean => Object.entries(settings.get<Record<string, unknown>>(key) ?? {}).some(([glob, on]) => on === true && isNamed(uri, glob, document));
  if (matches('readonlyInclude') && !matches('readonlyExclude')) return true;
  return isLocked(uri);
}

/** The globs of these settings are of the whole path, or within the folder of the workspace. */
function isNamed(uri: vscode.Uri, glob: string, document: vscode.TextDocument): boolean {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const patterns = folder === undefined ? [glob] : [glob, new vscode.RelativePattern(folder, glob)];
  return patterns.some((pattern) => vscode.languages.match({ pattern }, document) > 0);
}

async function isLocked(uri: vscode.Uri): Promise<boolean> {
  try {
    const { permissions } = await vscode.workspace.fs.stat(uri);
    return permissions !== undefined && (permissions & vscode.FilePermission.Readonly) !== 0;
  } catch {
    // Never saved, or gone from the disk while it is open: it can be changed.
    return false;
  }
}
