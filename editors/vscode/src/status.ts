// The status bar item, on the right, and the language status in the `{}` menu.

import type { LanguageStatusItem, StatusBarItem } from "vscode";
import { Disposable, LanguageStatusSeverity, languages, StatusBarAlignment, window } from "vscode";
import { SCHEMES } from "./client";
import type { Facts } from "./facts";
import { face } from "./words";

/** Both, kept up to date by `show`. */
export class Status extends Disposable {
    private readonly bar: StatusBarItem;
    private readonly language: LanguageStatusItem;

    constructor() {
        super(() => Disposable.from(this.bar, this.language).dispose());
        this.bar = window.createStatusBarItem("tandem.status", StatusBarAlignment.Right, 100);
        this.bar.name = "tandem";
        this.bar.show();
        const selector = SCHEMES.map((scheme) => ({ scheme }));
        this.language = languages.createLanguageStatusItem("tandem.language", selector);
        this.language.name = "tandem";
        this.language.command = { title: "Menu", command: "tandem.menu" };
    }

    show(facts: Facts): void {
        const { text, label, detail, severity, click } = face(facts);
        this.bar.text = text;
        this.bar.tooltip = detail === "" ? label : `${label}\n${detail}`;
        this.bar.accessibilityInformation = { label, role: "button" };
        this.bar.command = click === "restart" ? "tandem.restart" : "tandem.menu";
        this.language.text = label;
        this.language.detail = detail;
        this.language.busy = text.includes("~spin");
        this.language.severity = {
            information: LanguageStatusSeverity.Information,
            warning: LanguageStatusSeverity.Warning,
            error: LanguageStatusSeverity.Error,
        }[severity];
    }
}
