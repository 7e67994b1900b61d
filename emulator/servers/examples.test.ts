import { expect, test } from 'vitest';
import { exampleLines } from './examples.ts';
import { startWorld, TEST_KB } from './testing.ts';

test('an example is a shell line whatever is in a password', () => {
  const { urls } = startWorld();
  const account = { email: 'user@example.test', password: `it's "$HOME" \\`, kB: TEST_KB };
  const [, token = '', ask = ''] = exampleLines({ urls, account });
  expect(token).toContain(`"it'\\''s \\"$HOME\\" \\\\"`);
  expect(token).toMatch(/^TOKEN=\$\(python3 -c '/);
  expect(ask).toContain(`'${urls.syncto}/v1/buckets/`);
});
