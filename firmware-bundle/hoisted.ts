// The functions and classes of the language that a firmware uses often, each under a short name,
// declared once: what is looked up by name at every use costs bytes of the file, and instructions.
// Only what does without `this`.

const NAMES = `JSON.parse JSON.stringify Math.max Math.min Math.floor Array.isArray
  Number.isInteger Number.isSafeInteger Object.entries Object.fromEntries
  Object.keys Math.ceil Math.round Uint8Array Int32Array Number Promise SyntaxError`.split(/\s+/);

const SHORT = new Map(NAMES.map((name, at) => [`$${at.toString(36)}`, name]));

/** For esbuild: by the function, its short name. */
export const hoisted: Record<string, string> = Object.fromEntries(
  [...SHORT].map(([short, name]) => [name, short]),
);

/** The global that a free name of a built script stands for, itself if it is none of ours. */
export function globalOf(name: string): string {
  return SHORT.get(name)?.split('.')[0] ?? name;
}

/** Those of a program's free names that are ours, with what each is short for. */
export function shortNames(free: readonly string[]): ReadonlyMap<string, string> {
  return new Map([...SHORT].filter(([short]) => free.includes(short)));
}
