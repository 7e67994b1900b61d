import { describe, expect, test } from 'vitest';
import type { Answer } from '../../wire/http.ts';
import { ending, unexpected } from './statuses.ts';

function answerOf(status: number): { answer: Answer; isCancelled: () => boolean } {
  let isCancelled = false;
  const answer: Answer = {
    status,
    headers: [],
    serverNowMs: null,
    read: async () => null,
    cancel: () => {
      isCancelled = true;
    },
    pause: async () => undefined,
  };
  return { answer, isCancelled: () => isCancelled };
}

describe('an answer of a Sync server', () => {
  test.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [410, 'serviceGone'],
    [513, 'serviceGone'],
  ] as const)('%i ends the pass whatever was asked for: %s', (status, code) => {
    const { answer, isCancelled } = answerOf(status);
    const message = `sync: the server answered with status ${status}`;
    expect(ending(answer)).toMatchObject({ code, message, detail: { status } });
    expect(isCancelled()).toBe(true);
  });

  test.each([200, 201, 202, 204, 304, 400, 404, 405, 409, 412, 413, 429, 500, 503])(
    '%i is for whoever asked to read',
    (status) => {
      const { answer, isCancelled } = answerOf(status);
      expect(ending(answer)).toBeNull();
      expect(isCancelled()).toBe(false);
    },
  );
});

describe('a status of no use', () => {
  test.each([
    [400, 'badResponse'],
    [404, 'badResponse'],
    [409, 'unavailable'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ] as const)('%i is %s', (status, code) => {
    const { answer, isCancelled } = answerOf(status);
    const error = unexpected(answer, 'hello');
    expect(error).toMatchObject({ code, detail: { status } });
    expect(error.message).toContain('hello');
    expect(isCancelled()).toBe(true);
  });
});
