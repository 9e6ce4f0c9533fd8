// The addresses of answers: `tandem-answer:/3/answer.md` is of conversation 3. Knows nothing of VS Code.

/** The scheme of answers, as the server has it. */
export const ANSWER = "tandem-answer";

/** The conversation that a document is an answer of. */
export function conversation(uri: { scheme: string; path: string } | undefined): number | undefined {
    const number = uri?.scheme === ANSWER ? /^\/(\d+)\//.exec(uri.path)?.[1] : undefined;
    return number === undefined ? undefined : Number(number);
}
