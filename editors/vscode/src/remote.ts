// The server's commands, which the language client registers while the server runs.

import { commands, window } from "vscode";

/** Runs one of the server's commands; says so where there is no server, and then `false`. */
export async function server(command: string, ...args: unknown[]): Promise<boolean> {
    if (!(await commands.getCommands()).includes(command)) {
        void window.showErrorMessage("tandem: the server is not running. Click tandem in the status bar.");
        return false;
    }
    await commands.executeCommand(command, ...args);
    return true;
}
