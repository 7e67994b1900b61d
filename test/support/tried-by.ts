// Sources that decide something and have no test beside them, and the test that tries them: mostly
// that of the door that they stand behind. The list only shrinks: a source that has its own test,
// or decides nothing any more, fails the rule as long as it is named here.

/** By source: a test that goes red when a decision there is wrong, or why none does. */
export const TRIED_BY: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'emulator/device/flash-bench.ts': 'measures, and nothing relies on it',
    'firmware-bundle/dist.mjs': 'test/package/package.test.ts',
  }),
);
