/** What is fuzzed. A new reader of bytes from outside gets a line here. Each is loaded by the process that runs it only. */

import type { Target } from './target.ts';

export const TARGETS: readonly Target[] = [
  { name: 'safetensors', weight: 16, limitMs: 2000, open: async (room) => (await import('./targets/safetensors.ts')).open(room) },
  { name: 'pickle', weight: 16, limitMs: 2000, open: async (room) => (await import('./targets/pickle.ts')).open(room) },
  { name: 'configurations', weight: 16, limitMs: 2000, open: async (room) => (await import('./targets/configs.ts')).open(room) },
  { name: 'tokenizer', weight: 7, limitMs: 8000, open: async (room) => (await import('./targets/tokenizer.ts')).open(room) },
  // Its own limit is five seconds; then it says so.
  { name: 'chat-template', weight: 10, limitMs: 7000, open: async (room) => (await import('./targets/chatTemplate.ts')).open(room) },
  { name: 'run-file', weight: 12, limitMs: 2000, open: async () => (await import('./targets/runFile.ts')).open() },
  { name: 'import-source', weight: 6, limitMs: 2000, open: async (room) => (await import('./targets/importSource.ts')).open(room) },
  { name: 'formulas', weight: 14, limitMs: 3000, open: async (room) => (await import('./targets/formulas.ts')).open(room) },
  { name: 'rpc', weight: 5, limitMs: 5000, open: async (room) => (await import('./targets/rpc.ts')).open(room) },
  { name: 'maths', weight: 3, limitMs: 40_000, open: async (room) => (await import('./targets/maths.ts')).open(room) },
  { name: 'comments', weight: 8, limitMs: 3000, open: async () => (await import('./targets/comments.ts')).open() },
  { name: 'webview', weight: 4, limitMs: 10_000, open: async () => (await import('./targets/webview.ts')).open() },
];
