// The functions of the language that a firmware uses often, each under a short name that its script
// takes once: what is looked up by name at every call costs bytes of the file, and instructions.
// Only functions that do without `this`.

const NAMES = `JSON.parse JSON.stringify Math.max Math.min Math.floor Array.isArray
  Number.isInteger Number.isSafeInteger Object.entries Object.fromEntries
  Object.keys Math.ceil Math.round`.split(/\s+/);

const SHORT = new Map(NAMES.map((name, at) => [`$${at}`, name]));

/** For esbuild: by the function, its short name. */
export const hoisted: Record<string, string> = Object.fromEntries(
  [...SHORT].map(([short, name]) => [name, short]),
);

/** The global that a free name of a built script stands for, itself if it is none of ours. */
export function globalOf(name: string): string {
  return SHORT.get(name)?.split('.')[0] ?? name;
}

/** Declarations of the short names among the free names of a script. */
export function declarationsOf(free: readonly string[]): string[] {
  return free.flatMap((name) => (SHORT.has(name) ? [`${name}=${SHORT.get(name)}`] : []));
}
