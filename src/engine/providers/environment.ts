/**
 * What a verdict about a provider depends on: the runtime, the system and its graphics drivers, in one text that
 * changes when one of them does. Reads names, sizes and times of files; runs nothing.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { runtimeVersion } from '../session.ts';

/** Files and folders that an update of a driver changes, by platform; what a machine doesn't have says nothing. */
const DRIVERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/proc/driver/nvidia/version', '/sys/module/amdgpu/version', '/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/dev/dri'],
  // Every driver package is unpacked into a folder of its own there.
  win32: ['C:\\Windows\\System32\\DriverStore\\FileRepository', 'C:\\Windows\\System32\\nvcuda.dll', 'C:\\Windows\\System32\\DirectML.dll'],
};

/** Variables that choose a driver or hide a device. */
const VARIABLES = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_LOADER_DRIVERS_SELECT', 'CUDA_VISIBLE_DEVICES', 'LD_LIBRARY_PATH', 'TAH_RUNTIME_PACKAGE'];

/** One line: versions in words, and the rest as a hash. */
export function describeEnvironment(): string {
  const { node, electron } = process.versions;
  const program = electron === undefined ? `Node ${node}` : `Electron ${electron}`;
  const hash = createHash('sha256');
  for (const file of DRIVERS[process.platform] ?? []) hash.update(`${file}: ${stateOf(file)}\n`);
  for (const name of VARIABLES) hash.update(`${name}=${process.env[name] ?? ''}\n`);
  return `ONNX Runtime ${runtimeVersion()}, ${program}, ${process.platform}-${process.arch} ${os.release()}, drivers ${hash.digest('hex').slice(0, 12)}`;
}

function stateOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 'none';
  if (stat.isDirectory()) return process.platform === 'win32' ? String(stat.mtimeMs) : fs.readdirSync(file).sort().map((name) => `${name} ${fs.statSync(path.join(file, name), { throwIfNoEntry: false })?.mtimeMs ?? 0}`).join(', ');
  // Files of /proc and /sys have no size and no lasting time: what they say is short.
  return stat.size === 0 ? fs.readFileSync(file, 'utf8') : `${stat.size} ${stat.mtimeMs}`;
}
