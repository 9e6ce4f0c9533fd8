// Which of the server's progress reports VS Code shows on the left of its status bar. Those on the model are
// not among them: how far it is stands in our own item already. Knows nothing of VS Code.

/** A report, as far as it is read here. */
export interface Report {
    kind: "begin" | "report" | "end";
    title?: string;
    message?: string;
}

/** The reports that are not shown, by their tokens. */
export class Reports {
    private readonly ours = new Set<unknown>();

    /** What a report on the model says; `undefined` for one that is to be shown. */
    take(token: unknown, report: Report): { phase: string } | undefined {
        if (report.kind === "begin" && /^tandem: (loading the model|getting )/.test(report.title ?? "")) {
            this.ours.add(token);
        }
        if (!this.ours.has(token)) {
            return undefined;
        }
        if (report.kind === "end") {
            this.ours.delete(token);
            return { phase: "" };
        }
        return { phase: report.message ?? "" };
    }
}
