/**
 * The door for what a webview sends and for the state that VS Code saved of it: checked here, trusted afterwards.
 * A page is ours, but its state comes from a disk and its messages from another process. Pure.
 */

import { EXPORT_FORMATS } from './heatmap.ts';
import type { Palette, PanelState, RunIntent, WebviewMessage } from './heatmap.ts';
import { readBranchChange } from './run.ts';

type Fields = Readonly<Record<string, unknown>>;

const RUN_INTENTS: Readonly<Record<RunIntent, true>> = { stop: true, insert: true, replace: true, copy: true, retry: true, history: true };
/** More tokens than a page ever asks for at once. */
const MOST_TOKENS = 4096;

/** A message of the webview, checked; null for anything else. */
export function readWebviewMessage(value: unknown): WebviewMessage | null {
  const fields = fieldsOf(value);
  if (fields === null) return null;
  const { type } = fields;
  if (type === 'showLog' || type === 'solve' || type === 'selectModel') return { type };
  const runId = fields['runId'];
  if (type === 'ready') return typeof runId === 'string' || runId === null ? { type, runId } : null;
  if (typeof runId !== 'string' || typeof type !== 'string') return null;
  if (isIntent(type)) return { type, runId };
  return readRunMessage(type, runId, fields);
}

function readRunMessage(type: string, runId: string, fields: Fields): WebviewMessage | null {
  switch (type) {
    case 'show':
    case 'repair':
      return { type, runId };
    case 'tokens': {
      const from = indexOf(fields['from']);
      const to = indexOf(fields['to']);
      return from === null || to === null || to <= from || to - from > MOST_TOKENS ? null : { type, runId, from, to };
    }
    case 'regenerate': {
      const index = indexOf(fields['index']);
      const change = readBranchChange(fields['change']);
      return index === null || change === null ? null : { type, runId, index, change };
    }
    case 'relative': {
      const relativeId = fields['relativeId'];
      return typeof relativeId === 'string' ? { type, runId, relativeId } : null;
    }
    case 'select': {
      const index = indexOf(fields['index']);
      return index === null ? null : { type, runId, index };
    }
    case 'export': {
      const format = EXPORT_FORMATS.find((name) => name === fields['format']);
      const palette = readPalette(fields['palette']);
      return format === undefined || palette === null ? null : { type, runId, format, palette };
    }
    case 'drawn': {
      const png = fields['png'];
      return png === null || (typeof png === 'string' && /^[A-Za-z0-9+/]*=*$/.test(png)) ? { type, runId, png } : null;
    }
    default:
      return null;
  }
}

/** Only colours: they become part of a picture's source. */
function readPalette(value: unknown): Palette | null {
  const fields = fieldsOf(value);
  if (fields === null) return null;
  const [background, foreground, muted, heat] = ['background', 'foreground', 'muted', 'heat'].map((name) => {
    const colour = fields[name];
    return typeof colour === 'string' && /^#[0-9a-f]{6}$/i.test(colour) ? colour : null;
  });
  const { most } = fields;
  if (typeof most !== 'number' || !(most >= 0 && most <= 1)) return null;
  return background == null || foreground == null || muted == null || heat == null ? null : { background, foreground, muted, heat, most };
}

/** Saved panel state, checked; null for anything else. */
export function readPanelState(value: unknown): PanelState | null {
  const fields = fieldsOf(value);
  const runId = fields?.['runId'];
  if (fields === null || typeof runId !== 'string') return null;
  const { selected, scores } = fields;
  return { runId, selected: typeof selected === 'number' ? selected : null, scores: typeof scores === 'boolean' ? scores : null };
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : null;
}

function indexOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function isIntent(type: string): type is RunIntent {
  return Object.hasOwn(RUN_INTENTS, type);
}
