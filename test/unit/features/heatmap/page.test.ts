/** The page and its door: nothing runs in it but its own script, and nothing comes out of it unchecked. */
import { describe, expect, it } from 'vitest';
import { runPage } from '../../../../src/features/heatmap/page.ts';
import { readPanelState, readWebviewMessage } from '../../../../src/protocol/heatmapMessages.ts';

describe('the page of the panel', () => {
  const page = runPage({ nonce: 'abc123', cspSource: 'https://cdn', script: 'https://x/a.js?"><script>', styles: ['https://x/a.css'], language: 'de', title: 'T' });

  it('allows nothing but its own script and styles', () => {
    const policy = /content="([^"]*)"/.exec(page)?.[1] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'nonce-abc123'");
    expect(policy).not.toMatch(/unsafe|\*|data:/);
  });

  it('has no inline style or script, and its addresses cannot break out of their attributes', () => {
    expect(page).not.toMatch(/style=|<style/);
    expect(page.match(/<script/g)).toHaveLength(1);
  });
});

describe('a message of the webview', () => {
  it('is taken when it is one of the intents', () => {
    expect(readWebviewMessage({ type: 'stop', runId: 'a' })).toEqual({ type: 'stop', runId: 'a' });
    expect(readWebviewMessage({ type: 'ready', runId: null })).toEqual({ type: 'ready', runId: null });
    expect(readWebviewMessage({ type: 'repair', runId: 'a', file: '/etc/passwd' })).toEqual({ type: 'repair', runId: 'a' });
    expect(readWebviewMessage({ type: 'showLog', extra: 1 })).toEqual({ type: 'showLog' });
  });

  it.each([null, 5, 'stop', {}, { type: 'stop' }, { type: 'stop', runId: 5 }, { type: 'run', runId: 'a' }, { type: 'ready', runId: {} }])('is refused otherwise: %j', (value) => {
    expect(readWebviewMessage(value)).toBeNull();
  });

  it('may find any state saved from before', () => {
    expect(readPanelState({ runId: 'a', selected: 3, scores: true })).toEqual({ runId: 'a', selected: 3, scores: true });
    expect(readPanelState({ runId: 'a', selected: '3', scores: 1 })).toEqual({ runId: 'a', selected: null, scores: null });
    expect(readPanelState({ runId: 3 })).toBeNull();
    expect(readPanelState(undefined)).toBeNull();
  });
});
