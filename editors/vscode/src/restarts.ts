// Whether a server that has ended by itself is started again: up to four times in three minutes, as
// VS Code's own client does it. Knows nothing of VS Code.

/** Starts after a crash within the window. */
const AT_MOST = 4;
/** Milliseconds. */
const WINDOW = 3 * 60 * 1000;

/** The crashes of one server. */
export class Restarts {
    private crashes: number[] = [];

    /** Notes a crash at this time, in ms; whether to start again. */
    again(now: number): boolean {
        this.crashes = this.crashes.filter((crash) => now - crash <= WINDOW);
        this.crashes.push(now);
        return this.crashes.length <= AT_MOST;
    }
}
