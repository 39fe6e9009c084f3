/** VS Code's house rules that package.json can break: commands without a place, keys that are taken, settings that nobody explains, start-up activation, trust. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');

interface Menu { readonly command?: string; readonly when?: string; readonly group?: string }
interface Setting { readonly scope?: string; readonly order?: number; readonly description?: string; readonly markdownDescription?: string; readonly enum?: readonly string[]; readonly enumDescriptions?: readonly string[]; readonly markdownEnumDescriptions?: readonly string[] }
interface WalkthroughStep { readonly id: string; readonly title: string; readonly description: string; readonly media: { readonly svg?: string; readonly image?: string; readonly altText?: string }; readonly completionEvents?: readonly string[] }
interface Manifest {
  readonly activationEvents: readonly string[];
  readonly extensionKind: readonly string[];
  readonly capabilities: { readonly untrustedWorkspaces: { readonly supported: unknown; readonly description?: string; readonly restrictedConfigurations?: readonly string[] }; readonly virtualWorkspaces: unknown };
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string; readonly category?: string }[];
    readonly menus: Readonly<Record<string, readonly Menu[]>>;
    readonly keybindings?: unknown;
    readonly configuration: { readonly properties: Readonly<Record<string, Setting>> };
    readonly colors?: readonly { readonly id: string; readonly description: string; readonly defaults: Readonly<Record<string, string>> }[];
    readonly walkthroughs: readonly { readonly title: string; readonly steps: readonly WalkthroughStep[] }[];
  };
}

const manifest = JSON.parse(text('package.json')) as Manifest;
const names = JSON.parse(text('package.nls.json')) as Readonly<Record<string, string>>;
const { contributes } = manifest;
const commands = contributes.commands.map(({ command }) => command);
const settings = Object.entries(contributes.configuration.properties);

/** Work without anything before them: they ask for what they need, or say what is missing. */
const ALWAYS = new Set(['solve', 'compare', 'showDifficulty', 'selectModel', 'repairModel', 'unload', 'showLog', 'showHistory', 'setHubToken', 'forgetHubToken', 'diagnose', 'selectEndpoint', 'setEndpointKey', 'forgetEndpointKey'].map((name) => `thinkAtHard.${name}`));

function named(value: string): string {
  const key = /^%([\w.-]+)%$/.exec(value)?.[1];
  return key === undefined ? '' : (names[key] ?? '');
}

describe('commands', () => {
  it.each(contributes.commands)('$command has a name in package.nls.json and the category', ({ command, title, category }) => {
    expect(command).toMatch(/^thinkAtHard\.[a-z][A-Za-z]+$/);
    expect(named(title)).not.toBe('');
    expect(category).toBe('Think-at-Hard');
  });

  it('are each in the palette only when they can do something, or are meant to be there always', () => {
    const ruled = new Map(contributes.menus['commandPalette']?.map((entry) => [entry.command ?? '', entry.when ?? '']));
    const unruled = commands.filter((command) => !ALWAYS.has(command) && (ruled.get(command) ?? '') === '');
    expect(unruled).toEqual([]);
    for (const command of ruled.keys()) expect(commands).toContain(command);
  });

  it('in menus exist, and none is in a menu of an editor without a condition', () => {
    for (const [menu, entries] of Object.entries(contributes.menus)) {
      for (const { command, when } of entries) {
        if (command !== undefined) expect(commands).toContain(command);
        if (menu !== 'commandPalette') expect(when ?? '', `${menu}: ${command ?? ''}`).not.toBe('');
      }
    }
  });

  it('take no key', () => {
    expect(contributes.keybindings).toBeUndefined();
  });

  it('that the code registers are all contributed, or are for the code itself', () => {
    const files = readdirSync(new URL('src/features', root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const registered = files.flatMap((name) => [...text(`src/features/${name}`).matchAll(/registerCommand\((?:[\w.]+, )?'(thinkAtHard\.\w+)'/g)].map((match) => match[1] ?? ''));
    expect(registered.length).toBeGreaterThan(5);
    for (const command of commands) expect(registered, 'contributed, but nothing does it').toContain(command);
  });
});

describe('settings', () => {
  it('are at most 25', () => {
    expect(settings.length).toBeLessThanOrEqual(25);
  });

  it.each(settings)('%s says what it is, where it applies and where it stands', (key, setting) => {
    expect(key).toMatch(/^thinkAtHard\./);
    expect(named(setting.markdownDescription ?? setting.description ?? '')).not.toBe('');
    expect(setting.scope).toMatch(/^(machine|machine-overridable|resource|language-overridable|window|application)$/);
    expect(setting.order).toBeTypeOf('number');
    const explained = setting.enumDescriptions ?? setting.markdownEnumDescriptions;
    if (setting.enum !== undefined) expect(explained?.map(named).every((name) => name !== '')).toBe(true);
    if (setting.enum !== undefined) expect(explained).toHaveLength(setting.enum.length);
  });

  it('have an order of their own each', () => {
    const orders = settings.map(([, { order }]) => order);
    expect(new Set(orders).size).toBe(orders.length);
  });

  it('that name a path, a program or a device are the machine\'s, and restricted without trust', () => {
    const sensitive = settings.filter(([key]) => /path|folder|model$|provider|node|endpoint|mirror|port|server|hub/i.test(key)).map(([key]) => key);
    expect(sensitive).toContain('thinkAtHard.nodePath');
    for (const key of sensitive) {
      expect(contributes.configuration.properties[key]?.scope, key).toMatch(/^(machine|machine-overridable|application)$/);
      expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, key).toContain(key);
    }
    for (const key of manifest.capabilities.untrustedWorkspaces.restrictedConfigurations ?? []) expect(Object.keys(contributes.configuration.properties)).toContain(key);
  });
});

describe('the extension', () => {
  it('is never started with the window, only by what a user opens', () => {
    expect(manifest.activationEvents.filter((event) => event === '*' || /^(onStartupFinished|workspaceContains:|onFileSystem:|onUri)/.test(event))).toEqual([]);
  });

  it('says what it does in an untrusted and in a virtual workspace, and where it runs', () => {
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe('limited');
    expect(named(manifest.capabilities.untrustedWorkspaces.description ?? '')).not.toBe('');
    expect(manifest.capabilities.virtualWorkspaces).toMatchObject({ supported: 'limited' });
    expect(manifest.extensionKind).toEqual(['workspace']);
  });

  it.each(contributes.colors ?? [])('colour $id is explained and has a value in all four kinds of themes', ({ id, description, defaults }) => {
    expect(id).toMatch(/^thinkAtHard\./);
    expect(named(description)).not.toBe('');
    expect(Object.keys(defaults).sort()).toEqual(['dark', 'highContrast', 'highContrastLight', 'light']);
  });

  it('uses no colour of its own that it does not contribute', () => {
    const files = readdirSync(new URL('src/features', root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const known = new Set(contributes.colors?.map(({ id }) => id));
    const used = files.flatMap((name) => [...text(`src/features/${name}`).matchAll(/ThemeColor\('(thinkAtHard\.\w+)'/g)].map((match) => match[1] ?? ''));
    expect(used.filter((id) => !known.has(id))).toEqual([]);
  });
});

describe('the walkthrough', () => {
  const [walkthrough] = contributes.walkthroughs;
  const steps = walkthrough?.steps ?? [];

  it('has at most five steps, each with words, a picture that is shipped, and a way to be done', () => {
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.length).toBeLessThanOrEqual(5);
    for (const { title, description, media, completionEvents } of steps) {
      expect(named(title)).not.toBe('');
      expect(named(description)).not.toBe('');
      expect(named(media.altText ?? '')).not.toBe('');
      expect(existsSync(new URL(media.svg ?? media.image ?? 'missing', root))).toBe(true);
      expect(completionEvents?.length).toBeGreaterThan(0);
      for (const event of completionEvents ?? []) expect(commands).toContain(event.replace('onCommand:', ''));
      for (const [, command = ''] of named(description).matchAll(/\(command:([\w.]+)\)/g)) expect(commands).toContain(command);
    }
  });

  it('has pictures in the colours of the theme, without script or anything from elsewhere', () => {
    for (const { media } of steps) {
      const picture = text(media.svg ?? '');
      expect(picture).toContain('var(--vscode-');
      expect(picture).not.toMatch(/<script|href|url\(|<style|on\w+=/);
    }
  });
});
