// docs/errors.md says what the code says, and every code in it was provoked.

import { expect, test } from 'vitest';
import { errorCodes, errorsPage } from './errors.ts';
import { textOf } from './markdown.ts';

test('docs/errors.md is what `npm run docs` writes', () => {
  expect(textOf('docs/errors.md')).toBe(errorsPage());
});

test('every code says what it means', () => {
  expect(errorCodes().filter(({ means }) => !/^[A-Z].*\.$/.test(means))).toEqual([]);
});

/**
 * By code: a test that provokes it through a door of the agent or a command, and what it expects
 * there.
 */
const PROVOKED: readonly (readonly [code: string, file: string])[] = [
  ['offline', 'platform/node/cli/main.test.ts'],
  ['timeout', 'test/sim/stalled.test.ts'],
  ['truncated', 'agent/remotes/sync/sync15-listing.test.ts'],
  ['backoff', 'agent/passes.test.ts'],
  ['unavailable', 'platform/node/cli/trouble.test.ts'],
  ['unauthorized', 'platform/node/cli/sign-in.test.ts'],
  ['signedOut', 'platform/node/cli/sign-in.test.ts'],
  ['unverified', 'agent/signin/password.test.ts'],
  ['accountChanged', 'agent/remotes/owa/account.test.ts'],
  ['keyMismatch', 'platform/node/cli/sign-in.test.ts'],
  ['badResponse', 'agent/signin/password.test.ts'],
  ['conflict', 'agent/remotes/sync/initialize.test.ts'],
  ['overQuota', 'agent/remotes/sync/sync15-push.test.ts'],
  ['storageReset', 'test/sim/sync15-hostile.test.ts'],
  ['noSyncData', 'agent/machine.test.ts'],
  ['clientTooOld', 'test/sim/old-stores.test.ts'],
  ['serviceGone', 'agent/remotes/sync/sync15-push.test.ts'],
  ['storageFull', 'agent/api/records.test.ts'],
  ['storageFailed', 'platform/node/cli/trouble.test.ts'],
  ['damaged', 'agent/store/mend.test.ts'],
  ['deviceFailed', 'agent/passes.test.ts'],
  ['outOfMemory', 'test/sim/refused-memory.test.ts'],
  ['badInput', 'platform/quickjs/commands.test.ts'],
  ['notFound', 'platform/node/cli/sync.test.ts'],
  ['tooLarge', 'agent/api/records.test.ts'],
  ['readOnly', 'agent/agent.test.ts'],
  ['disabled', 'platform/quickjs/entry.test.ts'],
  ['aborted', 'agent/stuck-pass.test.ts'],
];

test.each(PROVOKED)('%s is provoked by %s', (code, file) => {
  const program = textOf(file).replace(/^\s*(\/\/|\/?\*).*$/gm, '');
  expect(program).toMatch(new RegExp(`'${code}'|\\(${code}\\)`));
});

test('no code is left out', () => {
  expect(PROVOKED.map(([code]) => code)).toEqual(errorCodes().map(({ word }) => word));
});
