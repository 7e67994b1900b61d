// How the tests run: all folders, each file in a process of its own, and a last line that says
// how many passed and failed.

import { defineConfig } from 'vitest/config';
import type { Reporter } from 'vitest/node';

const tally: Reporter = {
  onTestRunEnd(modules) {
    const states = modules.flatMap((module) => {
      const tests = [...module.children.allTests()].map((test) => test.result().state);
      // A file that could not be loaded has no tests to fail.
      return tests.includes('failed') || module.ok() ? tests : [...tests, 'failed'];
    });
    const count = (wanted: string) => states.filter((state) => state === wanted).length;
    console.log(`${count('passed')} passed, ${count('failed')} failed`);
  },
};

/** The tests that need a real Firefox: `npm run test:firefox`. */
const FIREFOX = 'test/interop/**/*.test.ts';
/** All cases of the simulations, of which the other tests look at a share: `npm run test:sim`. */
const SIMULATIONS = '{test/sim/**/*,emulator/device/flash-cuts}.test.ts';
const ALL = '{agent,platform,crypto,test,firmware-bundle,emulator}/**/*.test.ts';

export default defineConfig(({ mode }) => {
  const isFirefox = mode === 'firefox';
  const isSim = mode === 'sim';
  return {
    test: {
      include: [isFirefox ? FIREFOX : isSim ? SIMULATIONS : ALL],
      env: isSim ? { KITSYNC_SIM: 'whole' } : {},
      exclude: isFirefox ? [] : [FIREFOX],
      testTimeout: isFirefox || isSim ? 300_000 : 60_000,
      hookTimeout: 120_000,
      // One browser at a time.
      fileParallelism: !isFirefox,
      // Nothing else has to be done meanwhile: by default one core would be left to that.
      ...(isFirefox ? {} : { maxWorkers: '100%' }),
      pool: 'forks',
      reporters: ['default', tally],
    },
  };
});
