/**
 * VS Code's workbench in a browser, as a person uses it: palette, editor, notifications, webviews.
 * Every wait is for something that can be seen. Knows nothing of the extension.
 */
import { chromium, type Browser, type Frame, type Locator, type Page } from 'playwright-core';
import { setTimeout as delay } from 'node:timers/promises';

const BROWSER_OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT_MS = 180_000;

/** Calls `look` until it gives something else than null. Throws, naming `what`, after `timeoutMs`. */
export async function until<T>(what: string, look: () => Promise<T | null>, timeoutMs = WAIT_MS): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > end) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await delay(100);
  }
}

/** Whether the frame has the element and is on the screen: VS Code hides the frame around a webview, not the document. */
async function shows(frame: Frame, selector: string): Promise<boolean> {
  if ((await frame.locator(selector).count()) === 0) return false;
  const around = await (frame.parentFrame() ?? frame).frameElement();
  return await around.isVisible();
}

export class Workbench {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  /**
   * Opens the workbench at `url`; ready when its extensions' commands can be called.
   * @param language of VS Code as extensions are told it; VS Code's own texts stay English without its language pack
   */
  static async open(url: string, executablePath: string, { language = 'en' }: { readonly language?: string } = {}): Promise<Workbench> {
    const browser = await chromium.launch({ executablePath, args: BROWSER_OPTIONS });
    try {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'] });
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      // What a language pack sets, and what the workbench reads.
      if (language !== 'en') await page.addInitScript(`Object.defineProperty(globalThis, '_VSCODE_NLS_LANGUAGE', { get: () => '${language}', set: () => undefined })`);
      await page.goto(url);
      await page.locator('.monaco-workbench .part.statusbar').waitFor();
      return new Workbench(browser, page);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path });
  }

  /** Trusts the open folder, as a user does who is asked whether extensions may run in it. */
  async trustFolder(): Promise<void> {
    await this.statusBarItem('Restricted Mode').click();
    await this.page.locator('.workspace-trust-editor .monaco-button').filter({ hasText: /^Trust$/ }).first().click();
    await this.statusBarItem('Restricted Mode').waitFor({ state: 'hidden' });
    await this.press('Control+F4');
  }

  /** Runs a command of the palette by its full title. */
  async runCommand(title: string): Promise<void> {
    await this.openQuickInput('F1');
    await this.choose(`>${title}`, title);
  }

  /** Takes a colour theme by its name in the list of themes. */
  async chooseTheme(name: string): Promise<void> {
    await this.runCommand('Preferences: Color Theme');
    await this.choose(name, name);
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Opens a file of the workspace in the first group of editors and waits for its editor. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('Control+1');
    await this.openQuickInput('Control+P');
    await this.choose(name, name);
    await this.page.locator(`.editor-instance[aria-label^="${name}"], .monaco-editor[data-uri$="/${name}"]`).first().waitFor();
  }

  /** Presses `key` until its quick input is there: a key that comes while a webview or dialog hands over the focus is lost. */
  private async openQuickInput(key: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[type="text"]').first();
    await until(`the quick input of ${key}`, async () => {
      await this.page.keyboard.press(key);
      return await input.waitFor({ state: 'visible', timeout: 5_000 }).then(
        () => true,
        () => null,
      );
    });
  }

  /** Saves the editor that has the focus once `file` has a change to save: an edit that was just asked for comes later than a key. */
  async saveChange(file: string): Promise<void> {
    const changed = this.page.locator(`.tab.dirty[data-resource-name="${file}"]`).first();
    await changed.waitFor();
    // The edit may be there before the focus: a key that comes in between is lost.
    await until(`${file} is saved`, async () => {
      await this.press('Control+S');
      return await changed.waitFor({ state: 'hidden', timeout: 5_000 }).then(
        () => true,
        () => null,
      );
    });
  }

  /** Types into the open quick input and takes the entry that has `entry` in its label. */
  async choose(text: string, entry: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    await widget.locator('input[type="text"]').first().fill(text);
    await widget.locator('.monaco-list-row').filter({ hasText: entry }).first().click();
  }

  /** Takes an entry of the open menu by the keyboard: webviews lie over a menu that reaches into them. */
  async chooseInMenu(entry: string): Promise<void> {
    const item = this.page.locator('.monaco-menu .action-item').filter({ hasText: entry }).first();
    await item.waitFor();
    await until(`${entry} has the focus of the menu`, async () => {
      if (((await item.getAttribute('class')) ?? '').split(' ').includes('focused')) return true;
      await this.press('ArrowDown');
      return null;
    }, 15_000);
    await this.press('Enter');
  }

  /** Types into an input box (not a list) and accepts it. */
  async answerInput(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[type="text"]').first();
    await input.fill(text);
    await input.press('Enter');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  /** Names the file in VS Code's own dialog, which first writes its proposal over whatever was typed too early. */
  async answerFileDialog(path: string): Promise<void> {
    const widget = this.page.locator('.quick-input-widget');
    const input = widget.locator('input[type="text"]').first();
    let last = '';
    await until('the dialog proposes a file', async () => {
      const before = last;
      last = await input.inputValue();
      return last !== '' && last === before ? true : null;
    });
    await input.fill(path);
    await until('the dialog has the path', async () => ((await input.inputValue()) === path ? true : null));
    await input.press('Enter');
    await widget.waitFor({ state: 'hidden' });
  }

  /** Selects the whole line that holds `text` in the editor of `file`. */
  async selectLine(file: string, text: string): Promise<void> {
    await this.editor(file).locator('.view-line').filter({ hasText: text }).first().click();
    await this.page.keyboard.press('Home');
    await this.page.keyboard.press('Shift+End');
  }

  /** Puts the cursor `back` characters before the end of the line that holds `text` in the editor of `file`. */
  async cursorNearEnd(file: string, text: string, back: number): Promise<void> {
    await this.selectLine(file, text);
    await this.press('End');
    for (let i = 0; i < back; i += 1) await this.press('ArrowLeft');
  }

  /** Has the line of `file` that holds `problem` solved: selects it, and asks by the palette. */
  async solveLine(file: string, problem: string): Promise<void> {
    await this.openFile(file);
    await this.selectLine(file, problem);
    await this.runCommand('Think-at-Hard: Solve…');
  }

  /** Has the formula there explained. @returns the comment thread, which may not be there yet */
  async explainFormula(file: string, text: string, back: number): Promise<Locator> {
    await this.openFile(file);
    await this.cursorNearEnd(file, text, back);
    await this.runCommand('Think-at-Hard: Explain Formula');
    return this.page.locator('.review-widget').last();
  }

  /** Puts the cursor into the editor of `file` without changing what is selected there. */
  async focusEditor(file: string): Promise<void> {
    await this.editor(file).locator('textarea, .native-edit-context').first().focus();
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  /** A toast with this text. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item').filter({ hasText: text });
  }

  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.part.statusbar .statusbar-item').filter({ hasText: text });
  }

  /** The document of the visible webview that has an element matching `selector`. */
  async webview(selector: string): Promise<Frame> {
    return await until(`a webview with ${selector}`, async () => {
      for (const frame of this.page.frames()) {
        // A frame may go away while it is asked; it is looked for again.
        const found = await shows(frame, selector).catch(() => false);
        if (found) return frame;
      }
      return null;
    });
  }

  private editor(file: string): Locator {
    return this.page.locator(`.monaco-editor[data-uri$="/${file}"]`).first();
  }
}
