import { expect, test } from 'vitest';
import type { Answer } from '../../wire/http.ts';
import { ending, unexpected } from './statuses.ts';

const answer = (status: number): Answer => ({
  ...{ status, headers: [], serverNowMs: null },
  read: async () => null,
  cancel: () => undefined,
  pause: async () => undefined,
});

test.each([
  [401, 'unauthorized'],
  [429, 'unavailable'],
  [500, 'unavailable'],
  [503, 'unavailable'],
  [507, 'overQuota'],
])('%i ends a pass: %s', (status, code) => {
  expect(ending(answer(status))).toMatchObject({ code });
});

test('all others are for whoever has asked', () => {
  for (const status of [200, 204, 304, 400, 403, 404, 405, 410, 412, 413, 416, 428]) {
    expect(ending(answer(status)), `${status}`).toBeNull();
  }
  expect(unexpected(answer(418), 'x')).toMatchObject({ code: 'badResponse' });
});
