/**
 * Writes the licences of everything from npm that a package contains: what esbuild bundled, and what is shipped as it is.
 * Reads the installed packages; a package without a licence text is an error.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SUPPLIED_LICENCES } from './licenceTexts.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third[-_]?party[-_]?notices)([.-].*)?$/i;

/**
 * The folders of the packages that files belong to, sorted: node_modules/a/x.js is of node_modules/a.
 * @param {readonly string[]} files paths as esbuild's metafile has them
 * @returns {readonly string[]}
 */
export function packageFolders(files) {
  const folders = files.map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/**
 * @param {string} root folder that the paths in `files` are relative to
 * @param {readonly string[]} files bundled or shipped files; those of no package are ours
 * @returns {Promise<string>} the text of the notices
 */
export async function thirdPartyNotices(root, files) {
  const sections = [];
  for (const folder of packageFolders(files)) sections.push(await noticeOf(join(root, folder)));
  const rule = `\n\n${'='.repeat(80)}\n\n`;
  const opening = 'This package contains the following software of others, each under its own licence.';
  return [opening, ...new Set(sections)].join(rule) + '\n';
}

/**
 * @param {string} folder
 * @returns {Promise<string>}
 */
async function noticeOf(folder) {
  /** @type {{ name: string, version: string, license?: string | { type?: string }, repository?: string | { url?: string } }} */
  const { name, version, license, repository } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const licence = typeof license === 'object' ? license.type : license;
  const source = typeof repository === 'object' ? repository.url : repository;
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name));
  const texts = await Promise.all(files.map(async (file) => (await readFile(join(folder, file.name), 'utf8')).replaceAll('\r\n', '\n').trim()));
  const supplied = Object.hasOwn(SUPPLIED_LICENCES, name) ? SUPPLIED_LICENCES[name] : undefined;
  if (texts.length === 0 && supplied !== undefined) texts.push(supplied);
  if (texts.length === 0) throw new Error(`${name} ${version} (${licence ?? 'no licence stated'}) is shipped but carries no licence text; add it to scripts/licenceTexts.mjs.`);
  const heading = [`${name} ${version}`, `Licence: ${licence ?? 'see below'}`, ...(source === undefined ? [] : [`Source: ${source}`])].join('\n');
  return [heading, ...texts].join('\n\n');
}
