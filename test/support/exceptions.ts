// What does not keep to a rule yet, and how often: by rule, by file. The list only shrinks: a file
// that needs fewer exceptions than it has fails its rule as one that needs more does, and only
// agent/ and crypto/ may have any. An empty list goes, and `checked` with it.

const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  functions: {
    'crypto/aes.ts': 1,
    'crypto/json.ts': 1,
  },
};

const MAY_HAVE_SOME = /^(agent|crypto)\//;

/**
 * What is wrong, a line each; nothing if the rule holds.
 *
 * @param rule - as the list of exceptions names it
 * @param found - by file, what breaks the rule there
 */
export function checked(rule: string, found: ReadonlyMap<string, readonly string[]>): string[] {
  const allowed = new Map(Object.entries(EXCEPTIONS[rule] ?? {}));
  const paths = new Set([...found.keys(), ...allowed.keys()]);
  return [...paths].flatMap((path) => {
    const faults = found.get(path) ?? [];
    const most = allowed.get(path) ?? 0;
    if (most > 0 && !MAY_HAVE_SOME.test(path)) return [`${path} may have no exception: ${rule}`];
    if (faults.length > most)
      return faults.map((fault) => `${path}: ${fault} (${most} allowed): ${rule}`);
    if (faults.length < most)
      return [`${path} needs ${faults.length} exceptions, not ${most}: ${rule}, ${HERE}`];
    return [];
  });
}

const HERE = 'test/support/exceptions.ts';
