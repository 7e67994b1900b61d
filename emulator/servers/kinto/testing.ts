// A Kinto in memory with a user who asks it, for its tests.

import { createKinto } from './kinto.ts';

export const NOW_MS = 1_000_000;
export const RECORDS = '/buckets/b/collections/c/records';

export type Options = Partial<Parameters<typeof createKinto>[0]>;

export function served(options: Options = {}) {
  const clock = { nowMs: NOW_MS };
  const server = createKinto({
    url: 'https://kinto.test/prefix',
    nowMs: () => clock.nowMs,
    userOf: (given) => (given.startsWith('User ') ? `account:${given.slice(5)}` : null),
    ...options,
  });
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await server.fetch(
      new Request(`https://kinto.test/prefix/v1${path}`, {
        method,
        headers: { authorization: 'User bob', ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    const json = text === '' ? null : JSON.parse(text);
    return { status: response.status, headers: response.headers, json };
  };
  const put = (id: string, members: object = {}, headers: Record<string, string> = {}) =>
    ask('PUT', `${RECORDS}/${id}`, { data: members }, headers);
  const made = async () => {
    await ask('PUT', '/buckets/b', {});
    await ask('PUT', '/buckets/b/collections/c', {});
  };
  return { server, clock, ask, put, made };
}
