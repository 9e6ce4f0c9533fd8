// A window of VS Code, and what a person does and sees there. In: a page of the browser. Out: what is on the screen
// and what is in the files. Every wait ends after the deadline, with words for what was waited for.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { MACHINE } from './code_server.mjs';
import { PROJECT, SHOTS } from './place.mjs';
import { DEADLINE, until } from './wait.mjs';

/** What a window needs to be seen by the hand and to suit a page of text. */
export const SIZE = { width: 1000, height: 560 };

/** The text that is typed in. */
export const EDITOR = '.editor-group-container.active .editor-instance .monaco-editor';
const MENU = '.suggest-widget.visible .monaco-list-row';
const STATUS = '.statusbar-item[id$="tandem.status"]';
const ROW = '.quick-input-list .monaco-list-row';

export class Window {
  constructor(page, address) {
    this.page = page;
    this.address = address;
    this.keyboard = page.keyboard;
    page.setDefaultTimeout(DEADLINE);
    page.setDefaultNavigationTimeout(DEADLINE);
  }

  /** Opens the project, or opens it again; ready when files can be chosen. */
  async load() {
    await this.page.goto(`${this.address}/?folder=${encodeURIComponent(PROJECT)}`);
    await this.page.locator('.explorer-folders-view .monaco-list').waitFor();
  }

  /** Changes the settings of this machine, as a person does: in the file, in the editor. */
  async machineSettings(all) {
    const text = JSON.stringify(all);
    await this.closeAll();
    await this.command('Preferences: Open Remote Settings (JSON)');
    await this.page.locator('.tabs-container .tab.active[data-resource-name="settings.json"]').waitFor();
    await this.page.locator(`${EDITOR}.focused .view-line`).first().waitFor();
    await this.press('Control+a');
    // Typed, it would get more brackets and quotes.
    await this.page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await this.press('Control+v');
    await this.page.locator('.tabs-container .tab.active.dirty').waitFor();
    await this.press('Control+s');
    await this.page.locator('.tabs-container .tab.active.dirty').waitFor({ state: 'detached' });
    assert.equal(fs.readFileSync(MACHINE, 'utf8'), text);
    await this.closeAll();
  }

  press(keys) {
    return this.keyboard.press(keys);
  }

  /** Types as a person does; VS Code gets every key. */
  type(text, pace = 30) {
    return this.keyboard.type(text, { delay: pace });
  }

  // Files.

  /** Opens a file of the project, with the cursor at its end, and nothing else open or said. */
  async open({ name, text }) {
    await this.closeAll();
    await this.clearMessages();
    await this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`).dblclick();
    await this.page.locator(`.tabs-container .tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator(`${EDITOR}.focused .view-line`).first().waitFor();
    await this.press('Control+End');
    const rows = text.split('\n');
    await this.cursorAt(rows.length, rows.at(-1).length + 1);
  }

  /** Closes all editors and discards what is in them. */
  async closeAll() {
    await this.press('Escape');
    const tabs = this.page.locator('.tabs-container .tab');
    if (await tabs.count()) {
      // A question whether to save would come; nobody misses these texts.
      if (await this.page.locator('.tabs-container .tab.active.dirty').count()) await this.command('File: Revert File');
      await this.command('View: Close All Editors');
      await tabs.first().waitFor({ state: 'detached' });
    }
  }

  async clearMessages() {
    if (await this.page.locator('.notification-toast').count()) {
      await this.command('Notifications: Clear All Notifications');
      await this.page.locator('.notification-toast').first().waitFor({ state: 'detached' });
    }
  }

  /** Saves the file, which must have been changed; what is in it then. */
  async saved({ name, text }) {
    const now = () => fs.readFileSync(path.join(PROJECT, name), 'utf8');
    await this.press('Control+s');
    await this.page.locator('.tabs-container .tab.active.dirty').waitFor({ state: 'detached' });
    // The tab may have been marked late.
    await until(`${name} to be written`, () => now() !== text && now() !== '', now);
    return now();
  }

  /** Waits until VS Code says that the cursor is there; both from 1. */
  async cursorAt(line, column) {
    await this.page.getByRole('button', { name: `Ln ${line}, Col ${column}`, exact: true }).waitFor();
  }

  // Ghost text.

  /** The ghost text on the screen now; empty when there is none. */
  ghostNow() {
    return this.page.evaluate((editor) => {
      const inLine = document.querySelectorAll(`${editor} .view-lines .view-line [class*="ghost-text"]`);
      const below = document.querySelectorAll(`${editor} .suggest-preview-text .view-line`);
      const first = [...inLine].map((part) => part.textContent).join('');
      const all = [first, ...[...below].map((part) => part.textContent)];
      return all.join('\n').replaceAll('\u00a0', ' ');
    }, EDITOR);
  }

  /** Waits for ghost text, or for one that is meant; the text. */
  ghost(what = 'ghost text', isMeant = (text) => text !== '') {
    return until(what, async () => {
      const text = await this.ghostNow();
      return text !== '' && isMeant(text) ? text : undefined;
    }, () => this.ghostNow());
  }

  async noGhost() {
    await until('no ghost text', async () => (await this.ghostNow()) === '', () => this.ghostNow());
  }

  // VS Code's own menu of suggestions.

  async openMenu() {
    await this.press('Control+Space');
    await this.page.locator(`${MENU}:has-text("height")`).first().waitFor();
  }

  /** The entry that is chosen, or one that is meant. */
  menuEntry(isMeant = () => true) {
    return until('an entry of the menu', async () => {
      const chosen = this.page.locator(`${MENU}.focused .label-name`);
      const entry = (await chosen.count()) ? await chosen.innerText() : '';
      return entry !== '' && isMeant(entry) ? entry : undefined;
    });
  }

  async menuClosed() {
    await this.page.locator('.suggest-widget.visible').waitFor({ state: 'detached' });
  }

  // The status bar.

  /** What the status bar's item says to a screen reader; empty when there is none. */
  async statusNow() {
    const item = this.page.locator(STATUS);
    return (await item.count()) ? ((await item.getAttribute('aria-label')) ?? '') : '';
  }

  /** Waits until the status bar says this. */
  async status(words) {
    await until(`the status bar to say ${words}`, async () => matches(await this.statusNow(), words), () => this.statusNow());
  }

  /** From now on, what the status bar says is kept. */
  async listen() {
    await this.page.evaluate((status) => {
      window.said = [];
      const look = () => {
        const now = document.querySelector(status)?.getAttribute('aria-label');
        if (now && window.said.at(-1) !== now) window.said.push(now);
      };
      new MutationObserver(look).observe(document.querySelector('.part.statusbar'), {
        subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label'],
      });
      look();
    }, STATUS);
  }

  said() {
    return this.page.evaluate(() => window.said);
  }

  async clickStatus() {
    await this.page.locator(`${STATUS} a`).click();
  }

  // Commands, menus, messages.

  /** Runs a command by its title in the palette. */
  async command(title) {
    await this.press('F1');
    await this.page.locator('.quick-input-widget input[type="text"]').fill(`>${title}`);
    await this.page.locator(`${ROW}[aria-label^="${title}"]`).first().click();
  }

  /** A row of the list that is open. */
  row(title) {
    return this.page.locator(`${ROW}[aria-label*="${title}"]`).first();
  }

  /** Chooses in tandem's menu, behind the status bar. */
  async menu(title) {
    await this.clickStatus();
    await this.row(title).click();
    await this.backToText();
  }

  /** From wherever a click has led. */
  async backToText() {
    await this.press('Control+1');
    await this.page.locator(`${EDITOR}.focused`).waitFor();
  }

  /** The input box that is open, when it asks for this. */
  async answer(prompt, text) {
    await this.page.locator('.quick-input-widget', { hasText: prompt }).waitFor();
    await this.page.locator('.quick-input-widget input[type="text"]').fill(text);
    await this.press('Enter');
  }

  /** The message with these words. */
  message(words) {
    return this.page.locator('.notification-toast', { hasText: words });
  }

  /** Clicks a button of a message. */
  async click(words, button) {
    await this.message(words).getByRole('button', { name: button, exact: true }).click();
  }

  /** Clicks a button above the text, and chooses in the list that it opens. */
  async choose(button, action) {
    await this.page.locator('.editor-actions').getByRole('button', { name: button }).first().click();
    await this.page.locator('.action-widget .monaco-list-row', { hasText: action }).click();
  }

  messages() {
    return this.page.locator('.notification-toast').allInnerTexts();
  }

  // Other parts of the window.

  /** Waits until one of the open texts, as far as it is on the screen, reads like this. */
  async reads(words) {
    const texts = () => this.page.evaluate(() => {
      const lines = (editor) => [...editor.querySelectorAll('.view-line')].sort((a, b) => a.offsetTop - b.offsetTop);
      const all = [...document.querySelectorAll('.editor-instance .monaco-editor')];
      return all.map((editor) => lines(editor).map((line) => line.textContent.replaceAll('\u00a0', ' ')).join('\n'));
    });
    await until(`a text like ${words}`, async () => (await texts()).some((text) => words.test(text)), texts);
  }

  /** Ticks a file in the refactor preview, and applies it. */
  async refactor(name) {
    const panel = this.page.locator('.bulk-edit-panel');
    await panel.locator(`.monaco-list-row[aria-label^="${name}"] .edit-checkbox`).click();
    await this.shot('refactor');
    await panel.getByRole('button', { name: 'Apply', exact: true }).click();
  }

  /** Opens a step of the walkthrough. */
  async step(id) {
    await this.page.locator(`.getting-started-step[data-step-id$="#start#${id}"]`).click();
  }

  async stepIsDone(id) {
    await this.page.locator(`.getting-started-step[data-step-id$="#start#${id}"][aria-checked="true"]`).waitFor();
  }

  // Pictures.

  /** Keeps the window as a picture; with a height, the texts in it down to there. */
  async shot(name, height) {
    fs.mkdirSync(SHOTS, { recursive: true });
    // Over nothing that would explain itself.
    await this.page.mouse.move(150, 400);
    await this.page.locator('.workbench-hover').first().waitFor({ state: 'hidden' });
    const texts = await this.page.locator('.part.editor').boundingBox();
    const clip = height === undefined ? undefined : { ...texts, height };
    await this.page.screenshot({ path: path.join(SHOTS, `${name}.png`), clip, animations: 'disabled' });
  }
}

const matches = (text, words) => (words instanceof RegExp ? words.test(text) : text === words);
