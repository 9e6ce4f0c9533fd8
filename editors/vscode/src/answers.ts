// The addresses of answers: `tandem-answer:/3/answer.md` is of conversation 3 while it comes, a file
// `…/asks/…/answer-1.md` is one that is whole. Knows nothing of VS Code.

/** The scheme of answers, as the server has it. */
export const ANSWER = "tandem-answer";

/** As much of an address as is looked at. */
export interface Address {
    scheme: string;
    path: string;
}

/** The conversations of answers that are files. */
const files = new Map<string, number>();

/** Is this an answer, as it comes or whole? */
export function isAnswer(uri: Address): boolean {
    return uri.scheme === ANSWER || (uri.scheme === "file" && /\/asks\/[^/]+\/answer-\d+\.md$/.test(uri.path));
}

/** Is this what would be sent, for a person to look at? */
export function isPreview(uri: Address): boolean {
    return uri.scheme === "file" && /\/asks\/[^/]+\/preview-\d+\.md$/.test(uri.path);
}

/** The conversation that a document is an answer of, as far as that is known. */
export function conversation(uri: Address | undefined): number | undefined {
    if (uri?.scheme !== ANSWER) {
        return uri === undefined ? undefined : files.get(uri.path);
    }
    const number = /^\/(\d+)\//.exec(uri.path)?.[1];
    return number === undefined ? undefined : Number(number);
}

/** Notes whose answer a file is. */
export function remember(uri: Address, talk: number | undefined): void {
    if (talk !== undefined) {
        files.set(uri.path, talk);
    }
}

/** A server that starts anew counts from the beginning. */
export function forget(): void {
    files.clear();
}
