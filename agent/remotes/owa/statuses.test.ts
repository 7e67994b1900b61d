// What a status means to a server of this protocol.

import { expect, it } from 'vitest';
import type { Answer } from '../../wire/http.ts';
import { ending, outage, tooMuch } from './statuses.ts';

function answered(status: number, said = ''): Answer {
  let isRead = false;
  return {
    ...{ status, headers: [], serverNowMs: null },
    async read() {
      const piece = isRead ? null : said;
      isRead = true;
      return piece;
    },
    cancel: () => undefined,
    pause: async () => undefined,
  };
}

it.each([
  [401, 'unauthorized', null],
  [429, 'unavailable', 'unavailable'],
  [500, 'unavailable', 'unavailable'],
  [503, 'unavailable', 'unavailable'],
  [507, 'overQuota', 'overQuota'],
  [200, null, null],
  [204, null, null],
  [404, null, null],
  [412, null, null],
])('%i ends a pass as %s, a login as %s', (status, pass, login) => {
  expect(ending(answered(status))?.code ?? null).toBe(pass);
  expect(outage(answered(status))?.code ?? null).toBe(login);
});

it('a refusal names the part and the limit', async () => {
  const why = async (said: string) => (await tooMuch(answered(413, said))).message;
  const long = 'the document is not taken: status 413';
  expect(await why('{"field":"name","limit":2048}')).toBe(
    'the name is not taken, at most 2048: status 413',
  );
  expect(await why('<html>')).toBe(long);
  expect(await why(`{"field":"${'x'.repeat(50)}"}`)).toBe(long);
  expect(await why('{"field":{"a":1},"limit":"many"}')).toBe(long);
});
