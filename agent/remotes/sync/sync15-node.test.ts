import fc from 'fast-check';
import { expect, test } from 'vitest';
import { json, remoteBench } from '../../../test/support/remote.ts';
import { STAMP_MS_MAX } from '../../limits.ts';
import { headerMs, secondsMs } from '../../wire/headers.ts';
import { openNode, quoted, unmodifiedSince } from './sync15-node.ts';

const stampMs = fc.integer({ min: 0, max: STAMP_MS_MAX / 10 }).map((hundredths) => hundredths * 10);

test('decimal seconds are whole milliseconds, exactly, however a server prints them', () => {
  fc.assert(
    fc.property(stampMs, (ms) => {
      expect(headerMs([['x-last-modified', (ms / 1000).toFixed(2)]], 'x-last-modified')).toBe(ms);
      expect(secondsMs(JSON.parse(`${ms / 1000}`))).toBe(ms);
      expect(secondsMs(JSON.parse((ms / 1000).toExponential()))).toBe(ms);
    }),
    { numRuns: 1_000 },
  );
});

test('a time goes back to the server as it came', () => {
  fc.assert(
    fc.property(stampMs, (ms) => {
      const [, text] = unmodifiedSince(ms);
      expect(text).toMatch(/^\d+(\.\d{1,2})?$/);
      expect(Number(text).toFixed(2)).toBe((ms / 1000).toFixed(2));
    }),
    { numRuns: 1_000 },
  );
});

test('what is quoted reads the same for whoever parses the URL', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const url = `https://node.test/a?b=${quoted(text)}`;
      expect(new URL(url).href).toBe(url);
      expect(new URL(url).searchParams.get('b')).toBe(text);
    }),
  );
});

test('requests are signed with the credentials that the token server gave', async () => {
  const { options, requests } = remoteBench((_request, count) =>
    count === 1
      ? json({ id: 'the-id', key: 'the-key', api_endpoint: 'https://node.test/1.5/7/' }, 200, {
          'X-Timestamp': '1795323280',
        })
      : json({}),
  );
  const node = openNode(options);
  expect(await node.endpoint()).toBe('https://node.test/1.5/7');
  await node.send({ method: 'GET', url: '/info/collections' });
  await node.send({ method: 'GET', url: '/info/collections' });
  expect(requests.map(({ url }) => url)).toEqual([
    'https://token.test/1.0/sync/1.5',
    'https://node.test/1.5/7/info/collections',
    'https://node.test/1.5/7/info/collections',
  ]);
  const signed = requests.slice(1).map(({ headers }) => headers.get('authorization') ?? '');
  for (const header of signed) {
    expect(header).toMatch(
      /^Hawk id="the-id", ts="1795323280", nonce="\d{6,18}", mac="[\w+/]{43}="$/,
    );
  }
  expect(signed[0]).not.toBe(signed[1]);
});
