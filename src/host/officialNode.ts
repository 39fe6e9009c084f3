/**
 * The official Node as a runtime of the engine: whether it is there, how it comes, and that it is used from then on.
 * What brings its bytes is loaded when it is asked for. Imports no `vscode`.
 */

import type { Runtime } from './engineRuntime.ts';
import { fetchedNode, nodeBuildFor, NPM_REGISTRY } from '../hub/nodeBuilds.ts';
import type { NodeBuild } from '../hub/nodeBuilds.ts';
import type { NodeFetchOptions } from '../hub/nodeRuntime.ts';
import { parseHubUrl } from '../hub/source.ts';
import { phrase, TahError } from '../protocol/errors.ts';

export interface OfficialNode {
  /** Null where there is none for this machine. */
  readonly build: NodeBuild | null;
  /** Address that it is fetched from, by the settings. @throws TahError input.bad-option for a mirror that is no address */
  readonly from: () => string;
  /** Path of the program, or null. */
  readonly fetched: () => string | null;
  /** @throws TahError hub.*, input.bad-option, cancelled; engine.not-starting where there is none for this machine */
  readonly fetch: (options: Pick<NodeFetchOptions, 'onProgress' | 'signal'>) => Promise<string>;
  /** The engine tries it next, unless the runtime in use has loaded a model. */
  readonly use: () => void;
}

export interface OfficialNodeOptions {
  /** Folder of what the extension keeps on this machine. */
  readonly storage: string;
  /** Asked for at each fetch: VS Code replaces it. */
  readonly fetch: () => typeof fetch;
  readonly addRuntime: (runtime: Runtime) => void;
  /** Default: that of this machine. For tests. */
  readonly build?: NodeBuild | null;
  /** Address of a mirror of npm's registry; null: the registry itself. */
  readonly mirror?: () => string | null;
}

export function officialNode(options: OfficialNodeOptions): OfficialNode {
  const { storage, addRuntime, build = nodeBuildFor(process.platform, process.arch), mirror = () => null } = options;
  const from = (): string => {
    const given = mirror();
    return given === null ? NPM_REGISTRY : parseHubUrl(given, 'thinkAtHard.nodeMirror');
  };
  const fetched = (): string | null => (build === null ? null : fetchedNode(storage, build));
  return {
    build,
    from,
    fetched,
    async fetch(how) {
      if (build === null) throw new TahError('engine.not-starting', phrase('There is no Node to fetch for {0}-{1}.', process.platform, process.arch), { hint: phrase('Install Node 20 or newer and name it under thinkAtHard.nodePath.') });
      const { fetchNode } = await import('../hub/nodeRuntime.ts');
      return await fetchNode(storage, build, { ...how, base: from(), fetch: options.fetch() });
    },
    use() {
      const execPath = fetched();
      if (execPath !== null) addRuntime({ kind: 'fetched', execPath, env: {} });
    },
  };
}
