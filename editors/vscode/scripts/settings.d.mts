/** package.json as it is, and as it should be. */
export function both(): [string, string];
