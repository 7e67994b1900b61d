import { expect, test } from 'vitest';
import { readByBoth } from './both.ts';

test('what one of both writes the other takes, and both refuse the same: 10,000 logs', async () => {
  expect(await readByBoth(10_000, 1)).toBeGreaterThan(50_000);
}, 400_000);
