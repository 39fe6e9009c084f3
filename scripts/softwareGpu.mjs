/**
 * A Vulkan device made of software, for tests of WebGPU where there is no graphics card: SwiftShader, which comes with
 * Chromium. Finds it, or installs it where that may be done (root and apt-get), else says why there is none.
 */
import { access } from 'node:fs/promises';
import { run, timed, twice } from './processes.mjs';

/** What a browser puts beside itself. */
const DRIVERS = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/lib/chromium-browser/vk_swiftshader_icd.json', '/opt/google/chrome/vk_swiftshader_icd.json'];
const LOADERS = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib64/libvulkan.so.1', '/usr/lib/libvulkan.so.1'];
const PACKAGES = ['chromium-common', 'libvulkan1'];

/**
 * @param {readonly string[]} files
 * @returns {Promise<string | null>} the first one that is there
 */
async function firstOf(files) {
  for (const file of files) if (await access(file).then(() => true, () => false)) return file;
  return null;
}

/** @returns {Promise<string | null>} the driver's description for VK_ICD_FILENAMES; null where driver or loader is missing */
async function find() {
  const given = process.env['TAH_TEST_VULKAN_DRIVER'];
  const driver = given === undefined || given === '' ? await firstOf(DRIVERS) : given;
  return (await firstOf(LOADERS)) === null ? null : driver;
}

/** @returns {Promise<{ readonly driver: string } | { readonly missing: string }>} the driver, or the reason in one sentence */
export async function softwareGpu() {
  // ONNX Runtime has no WebGPU in its other Linux build, and elsewhere a software device is no file that could be named.
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: `no software device is known for ${process.platform}-${process.arch}` };
  const found = await find();
  if (found !== null) return { driver: found };
  const packages = PACKAGES.join(' and ');
  if (process.getuid?.() !== 0 || (await firstOf(['/usr/bin/apt-get'])) === null) return { missing: `the Debian packages ${packages} are not installed` };
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await twice('apt-get', () =>
      timed(`Installing ${packages} with apt-get`, async () => {
        await run('apt-get', ['update', '-q'], { env });
        await run('apt-get', ['install', '-yq', '--no-install-recommends', ...PACKAGES], { env });
      }),
    );
  } catch (error) {
    return { missing: `${packages} could not be installed: ${error instanceof Error ? error.message : String(error)}` };
  }
  const installed = await find();
  return installed === null ? { missing: `${packages} brought no driver` } : { driver: installed };
}
