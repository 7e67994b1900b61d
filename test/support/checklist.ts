// Behaviours that a specification counts, and the tests that are named by their numbers ("P6: a
// wrong changeid changes nothing"): which of them a run has seen hold, for a server on each of its
// storages, and for a client. A test that was left out or failed counts for nothing.

export interface Checklist {
  /** What the numbers begin with. */
  readonly letter: string;
  readonly server: readonly number[];
  readonly client: readonly number[];
}

/** A test of a run. Those of a client are below agent/; a server's stand in a suite by storage. */
export interface Ran {
  readonly file: string;
  readonly suite: string;
  readonly name: string;
  readonly passed: boolean;
}

/** The behaviours of PiCL: docs/picl.md says what each is about, its tests what it is. */
export const PICL_CHECKLIST: Checklist = {
  letter: 'P',
  server: [
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 18, 20, 22, 23, 24, 27, 29, 30, 31, 32],
    ...[35, 38, 39, 40, 41, 42, 43, 44, 60, 61],
  ],
  client: [
    ...[10, 11, 12, 13, 16, 17, 19, 21, 25, 26, 28, 33, 34, 36, 37],
    ...[45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 62],
  ],
};

/** Those of Open Web Apps sync. */
const OWA_SERVER = [31, 32, 33, 38, 39, 40, 43, 44, 45, 48, 60];
export const OWA_CHECKLIST: Checklist = {
  letter: 'O',
  server: OWA_SERVER,
  client: Array.from({ length: 62 }, (_, index) => index + 1).filter(
    (number) => number === 44 || !OWA_SERVER.includes(number),
  ),
};

/** What holds, a line for each side and storage, and what does not. */
export function checked(
  { letter, server, client }: Checklist,
  tests: readonly Ran[],
): { readonly lines: readonly string[]; readonly missing: readonly string[] } {
  const seen = new Map([['the client', new Set<number>()]]);
  for (const { file, suite, name, passed } of tests) {
    const numbers = numbersIn(letter, name);
    const side = file.startsWith('agent/') ? 'the client' : suite;
    const held = seen.get(side) ?? new Set<number>();
    if (numbers.length > 0) seen.set(side, held);
    for (const number of passed ? numbers : []) held.add(number);
  }
  const lines: string[] = [];
  const missing: string[] = [];
  for (const [side, held] of seen) {
    const wanted = side === 'the client' ? client : server;
    const absent = wanted.filter((number) => !held.has(number));
    lines.push(`${letter}: ${wanted.length - absent.length} of ${wanted.length}, ${side}`);
    missing.push(...absent.map((number) => `${letter}${number}: ${side}`));
  }
  if (seen.size === 1) missing.push(`${letter}: no server`);
  return { lines, missing };
}

function numbersIn(letter: string, name: string): number[] {
  const [ids = ''] = new RegExp(`^(${letter}\\d+(, )?)+(?=: )`).exec(name) ?? [];
  return ids.split(', ').flatMap((id) => (id === '' ? [] : [Number(id.slice(letter.length))]));
}
