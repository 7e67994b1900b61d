import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { bodyOf } from '../http.ts';
import { kintoListing } from './listing.ts';

async function* cut(text: string, bytesEach: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += bytesEach)
    yield bytes.subarray(from, from + bytesEach);
}

async function listed(text: string, bytesEach: number): Promise<unknown> {
  const listing = await kintoListing(new Response(bodyOf(cut(text, bytesEach))));
  return JSON.parse(await new Response(listing).text());
}

const bso = fc.record(
  {
    id: fc.string({ unit: 'binary' }),
    modified: fc.integer({ min: 0, max: 10 ** 9 }).map((hundredths) => hundredths / 100),
    payload: fc.string({ unit: 'binary' }),
    '[odd"\\': fc.jsonValue(),
  },
  { requiredKeys: ['id', 'modified', 'payload'] },
);

property.prop([fc.array(bso), fc.integer({ min: 1, max: 90 }), fc.constantFrom(0, 1)])(
  'a list is the same one, wherever its bytes are cut',
  async (records, bytesEach, indent) => {
    const kinto = records.map(({ modified, ...rest }) => ({
      ...rest,
      last_modified: Math.trunc(modified * 1000),
    }));
    const text = JSON.stringify(records, null, indent);
    expect(await listed(text, bytesEach)).toEqual(JSON.parse(JSON.stringify({ data: kinto })));
  },
);

test.each([
  ...['', ' ', '{}', '"[]"', 'null', '[', '[1]', '["a"]', '[[]]', '[{}', '[{},', '[{},]', '[,{}]'],
  ...['[{}{}]', '[{}] x', '[][]', '[{"a":}]', '[{]]', '[{"a":"]}]', ']', '<html></html>'],
])('%j is no list, however it is cut', async (text) => {
  for (const bytesEach of [1, 2, 100]) await expect(listed(text, bytesEach)).rejects.toThrow();
});

test('a reader that stops ends what is read', async () => {
  let ended = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('[{"id":"a","modified":1,"payload":""}');
      for (;;) yield Buffer.from(',{"id":"a","modified":1,"payload":""}');
    } finally {
      ended++;
    }
  }
  const listing = await kintoListing(new Response(bodyOf(endless())));
  const reader = listing.getReader();
  await reader.read();
  await reader.read();
  await reader.cancel();
  expect(ended).toBe(1);
});
