/**
 * The Debian packages that the end-to-end tests need: a browser, and what builds VS Code's native modules.
 * Installs what is missing where it may (root and apt-get), else says exactly what to install.
 */
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run, timed, twice } from './processes.mjs';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** A need: how to see that it is there, and the Debian package that brings it. */
const BUILD_NEEDS = [
  { package: 'g++', present: () => which('g++') },
  { package: 'make', present: () => which('make') },
  { package: 'python3', present: () => which('python3') },
  { package: 'pkg-config', present: () => which('pkg-config') },
  { package: 'libkrb5-dev', present: () => which('krb5-config') },
];

/**
 * @param {string} name
 * @returns {Promise<string | null>} the path of a program
 */
async function which(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await access(path).then(() => true, () => false))) return path;
  }
  return null;
}

/** @returns {Promise<string | null>} TAH_E2E_CHROMIUM, or the first Chromium or Chrome on PATH */
export async function findChromium() {
  const named = process.env['TAH_E2E_CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  for (const name of BROWSERS) {
    const path = await which(name);
    if (path !== null) return path;
  }
  return null;
}

/**
 * @param {{ forBuild: boolean }} options false: the browser; true: what the build of native modules needs
 * @throws {Error} naming the packages that a person must install
 */
export async function installSystemPackages({ forBuild }) {
  const needs = forBuild ? BUILD_NEEDS : [{ package: 'chromium', present: findChromium }];
  /** @type {string[]} */
  const missing = [];
  for (const need of needs) if ((await need.present()) === null) missing.push(need.package);
  if (missing.length === 0) return;
  if ((await which('apt-get')) === null) {
    throw new Error(`These programs are needed and missing: ${missing.join(', ')} (names of Debian packages). Install them and try again.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(`These Debian packages are missing. Install them and try again: sudo apt-get install -y ${missing.join(' ')}`);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await twice('apt-get', () =>
    timed(`Installing ${missing.join(', ')} with apt-get`, async () => {
      await run('apt-get', ['update', '-q'], { env });
      await run('apt-get', ['install', '-yq', '--no-install-recommends', ...missing], { env });
    }),
  );
}
