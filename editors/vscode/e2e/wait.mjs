// Waiting for what must come. In: a question that is asked until its answer is true. Out: the answer. Refuses to
// wait for ever, and never waits for time to pass.

/** Milliseconds; CI machines are slow and loaded, and what has not come by then does not come. */
export const DEADLINE = 60_000;

/** Between two looks at what tells nobody that it changed: files, processes. */
const LOOK = 25;

/**
 * The first answer of `ask` that is true. `what` says in words what is waited for; `seen`, where given, what there
 * was instead.
 */
export async function until(what, ask, seen) {
  const end = performance.now() + DEADLINE;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) {
      const instead = seen ? `; there was ${JSON.stringify(await seen())}` : '';
      throw new Error(`waited ${DEADLINE / 1000} s for ${what}${instead}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}
