// What a status means: only 401 asks for a sign-in.

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
  [403, 'badResponse'],
  [404, 'badResponse'],
  [409, 'unavailable'],
  [410, 'serviceGone'],
  [429, 'unavailable'],
  [500, 'unavailable'],
  [507, 'overQuota'],
])('%i is %s', (status, code) => expect(unexpected(answer(status), 'x').code).toBe(code));

test('only a refused sign-in and a service that has ended end a pass by themselves', () => {
  const ended = [200, 304, 401, 403, 404, 410, 412, 503].filter((one) => ending(answer(one)));
  expect(ended).toEqual([401, 410]);
});
