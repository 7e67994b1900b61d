import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{agent,platform,crypto,test,firmware-bundle,emulator}/**/*.test.ts'],
    testTimeout: 60_000,
    pool: 'forks',
  },
});
