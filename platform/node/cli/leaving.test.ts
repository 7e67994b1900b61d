// Signing out of a folder of two services, of one of them or of both.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { run, testTerminal } from '../../../test/support/commands.ts';
import { twoServices } from '../../../test/support/two-services.ts';
import { main } from './main.ts';

let two: Awaited<ReturnType<typeof twoServices>>;

beforeEach(async () => {
  two = await twoServices();
  expect(await run(two.args)).toMatchObject({ code: 0, complaints: '' });
});
afterEach(() => two.close());

test('sign-out of all counts what is unsent of all, and tells every server', async () => {
  await two.on('put', 'notes', '{"title":"unsent"}');
  await two.on('put', 'history', '{"url":"https://unsent.example/"}');
  const asked = Object.assign(testTerminal({ input: async () => 'no\n' }), { isInteractive: true });
  const files = ['--credentials', two.credentials.home];
  files.push('--credentials', `work=${two.credentials.work}`);
  expect(await main(['sign-out', '--data', two.data, ...files], asked)).toBe(1);
  expect(asked.complaints).toContain('Not sent yet, and lost then: 2 of your changes.');
  const { code, complaints } = await two.on('sign-out', ...files, '--yes');
  expect([code, complaints]).toEqual([0, expect.stringContaining('no data is left')]);
  expect(complaints).toMatch(/^first: .*\n.*home\.json is kept\nwork: .*\n.*work\.json is kept$/m);
  for (const which of ['home', 'work'] as const) {
    const seen = secondDevice({ world: two[which].world, nowMs: Date.now() + 2_000 });
    expect(seen.live('clients').size).toBe(0);
  }
});

test('sign-out of one takes the credentials of that one only', async () => {
  const other = ['--credentials', `work=${two.credentials.work}`];
  const wrong = await two.on('sign-out', '--remote', 'first', ...other, '--yes');
  expect([wrong.code, wrong.complaints]).toEqual([
    2,
    expect.stringContaining('only first is left'),
  ]);
  const twice = ['--credentials', two.credentials.work, ...other];
  expect((await two.on('sign-out', '--remote', 'work', ...twice, '--yes')).code).toBe(2);
  const right = await two.on('sign-out', '--remote', 'work', ...other, '--yes');
  expect([right.code, (await two.status()).account]).toEqual([0, 'user@example.test']);
});
