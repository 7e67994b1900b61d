import { describe, expect, test } from 'vitest';
import type { Answer, Exchange } from '../../wire/http.ts';
import type { Outgoing, PushResult } from '../remote.ts';
import { type SyncUpload, stored } from './storage.ts';
import type { Limits } from './sync15-limits.ts';
import { openUpload } from './sync15-upload.ts';

const LIMITS: Limits = {
  max_request_bytes: 100_000,
  max_post_bytes: 50_000,
  max_post_records: 4,
  max_record_payload_bytes: 10_000,
  max_total_bytes: 80_000,
  max_total_records: 10,
};
/** Room for records of a size that a server may refuse. */
const WIDE: Partial<Limits> = {
  max_request_bytes: 200_000,
  max_post_bytes: 150_000,
  max_record_payload_bytes: 20_000,
  max_total_bytes: 300_000,
};
const LARGE = 16_385;
const SMALL = 16_384;
const SINCE_MS = 1_388_635_807_410;
const STORED_MS = 1_388_635_900_050;

interface Post {
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ids: string[];
  readonly bytes: number;
}

interface Script {
  readonly limits?: Partial<Limits>;
  /** The answer to a post; undefined is that of a server that takes everything. */
  readonly answer?: (post: Post, count: number) => [status: number, body: unknown] | undefined;
  readonly cache?: Map<string, unknown>;
}

function bench({ limits, answer, cache = new Map() }: Script = {}): {
  upload: SyncUpload;
  posts: Post[];
  cache: Map<string, unknown>;
} {
  const posts: Post[] = [];
  const send = async ({ url, headers = [], body = '' }: Exchange): Promise<Answer> => {
    const records = JSON.parse(`${body}`) as { id: string; payload: string }[];
    const post = {
      query: url.slice('/storage/history'.length),
      headers: Object.fromEntries(headers),
      ids: records.map(({ id }) => id),
      bytes: records.reduce((sum, { payload }) => sum + payload.length, 0),
    };
    const count = posts.push(post);
    const [status, told] = answer?.(post, count) ?? taken(post);
    let text: string | null = JSON.stringify(told);
    const read = async (): Promise<string | null> => {
      const piece = text;
      text = null;
      return piece;
    };
    return {
      ...{ status, headers: [], serverNowMs: null, read },
      ...{ pause: async () => undefined, cancel: () => {} },
    };
  };
  const upload = openUpload({
    node: { send, endpoint: async () => '' },
    path: '/storage/history',
    limits: { ...LIMITS, ...limits },
    pushCharsMax: 24_000,
    sinceMs: SINCE_MS,
    cache,
  });
  return { upload, posts, cache };
}

function taken({ query, ids }: Post, failed: object = {}): [number, unknown] {
  const success = ids.filter((id) => !Object.hasOwn(failed, id));
  const isOpen = query !== '' && !query.includes('commit');
  return isOpen
    ? [202, { batch: "b/1'", success, failed }]
    : [200, { modified: STORED_MS / 1000, success, failed }];
}

function records(count: number, bytes = 100, first = 0): Outgoing[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `record ${first + index}`,
    payload: '"'.padEnd(bytes, 'x'),
    base: null,
    beside: {},
  }));
}

const kinds = (results: readonly PushResult[]): string[] =>
  results.map((result) =>
    result.kind === 'refused' ? `refused ${result.code ?? ''}`.trim() : result.kind,
  );

describe('one portion', () => {
  test('is one plain post, under the condition that nobody wrote since', async () => {
    const { upload, posts } = bench();
    expect(kinds(await upload.add(records(3), true))).toEqual(['staged', 'staged', 'staged']);
    expect(await upload.commit()).toEqual(stored(STORED_MS));
    expect(posts).toEqual([
      {
        query: '',
        ids: ['record 0', 'record 1', 'record 2'],
        bytes: 300,
        headers: {
          'Content-Type': 'application/json',
          'X-If-Unmodified-Since': '1388635807.41',
          'X-Weave-Records': '3',
          'X-Weave-Bytes': '300',
        },
      },
    ]);
  });

  test.each([
    [LARGE, 'refused'],
    [SMALL, 'failed'],
  ])('of %i bytes says of each record what the server says of it', async (bytes, refused) => {
    const failed = { 'record 1': 'retry bso', 'record 2': 'invalid ttl', 'record 9': 'no' };
    const { upload } = bench({ limits: WIDE, answer: (post) => taken(post, failed) });
    expect(kinds(await upload.add(records(4, bytes), true))).toEqual([
      'staged',
      'failed',
      refused,
      'staged',
    ]);
  });

  test('a record that the server does not mention is no success', async () => {
    const { upload } = bench({ answer: () => [200, { modified: 1, success: [], failed: {} }] });
    expect(kinds(await upload.add(records(1), true))).toEqual(['failed']);
  });

  test('without anything to say there is no request', async () => {
    const { upload, posts } = bench();
    expect(await upload.commit()).toEqual({ kind: 'none' });
    expect(posts).toEqual([]);
  });
});

describe('several portions', () => {
  test('are gathered in a batch, which the last one ends', async () => {
    const { upload, posts } = bench();
    await upload.add(records(4), false);
    await upload.add(records(4, 100, 4), false);
    await upload.add(records(1, 100, 8), true);
    expect(await upload.commit()).toEqual(stored(STORED_MS));
    expect(posts.map(({ query }) => query)).toEqual([
      '?batch=true',
      '?batch=b%2F1%27',
      '?batch=b%2F1%27&commit=true',
    ]);
    expect(posts[2]?.headers).toMatchObject({
      'X-If-Unmodified-Since': '1388635807.41',
      'X-Weave-Total-Records': '9',
      'X-Weave-Total-Bytes': '900',
    });
  });

  test('a batch whose last portion came to nothing is ended by an empty post', async () => {
    const { upload, posts } = bench();
    await upload.add(records(4), false);
    expect(await upload.commit()).toEqual(stored(STORED_MS));
    expect(posts.at(-1)).toMatchObject({ query: '?batch=b%2F1%27&commit=true', ids: [] });
  });

  test.each([1, 2, 3])('when somebody else wrote before post %i, nothing is stored', async (at) => {
    const { upload, posts } = bench({
      answer: (_post, count) => (count === at ? [412, 0] : undefined),
    });
    const results: string[] = [];
    for (const isLast of [false, false, true]) {
      const portion = kinds(await upload.add(records(2, 100, posts.length * 2), isLast));
      results.push(...portion);
      if (portion.includes('moved')) break;
    }
    expect(results.slice(-2)).toEqual(['moved', 'moved']);
    expect(posts).toHaveLength(at);
    expect(await upload.commit()).toEqual({ kind: 'moved' });
    expect(posts).toHaveLength(at);
  });

  test('a server without batches stores each portion, each upon the one before', async () => {
    const answer = ({ ids }: Post, count: number): [number, unknown] => [
      200,
      { modified: (STORED_MS + count * 10) / 1000, success: ids, failed: {} },
    ];
    const { upload, posts } = bench({ answer });
    expect(await upload.add(records(2), false)).toEqual(Array(2).fill(stored(STORED_MS + 10)));
    expect(await upload.add(records(1, 100, 2), false)).toEqual([stored(STORED_MS + 20)]);
    expect(await upload.commit()).toEqual({ kind: 'none' });
    expect(posts.map(({ query }) => query)).toEqual(['?batch=true', '']);
    expect(posts[1]?.headers['X-If-Unmodified-Since']).toBe('1388635900.06');
  });

  test('a batch that the server has lost is begun anew, without batches', async () => {
    const cache = new Map<string, unknown>();
    const first = bench({ answer: (_post, count) => (count === 2 ? [400, 0] : undefined), cache });
    await first.upload.add(records(2), false);
    expect(kinds(await first.upload.add(records(2, 100, 2), false))).toEqual(['moved', 'moved']);
    expect(await first.upload.commit()).toEqual({ kind: 'moved' });
    const second = bench({ cache });
    expect(kinds(await second.upload.add(records(2), false))).toEqual(['stored', 'stored']);
    expect(second.posts[0]?.query).toBe('');
  });

  test('a batch that is lost at its end has stored nothing', async () => {
    const { upload } = bench({ answer: (_post, count) => (count === 2 ? [400, 0] : undefined) });
    await upload.add(records(2), false);
    expect(await upload.commit()).toEqual({ kind: 'moved' });
  });
});

describe('each limit', () => {
  test.each<[keyof Limits, number, number, number[]]>([
    ['max_post_records', 3, 100, [3, 3, 2]],
    ['max_post_bytes', 350, 100, [3, 3, 2]],
    ['max_request_bytes', 450, 100, [3, 3, 2]],
    ['max_record_payload_bytes', 100, 100, [4, 4]],
  ])('%s of %i is kept', async (name, value, bytes, sizes) => {
    const { upload, posts } = bench({ limits: { [name]: value } });
    const results = await upload.add(records(8, bytes), true);
    expect(kinds(results)).toEqual(Array(8).fill('staged'));
    expect(posts.map(({ ids }) => ids.length)).toEqual(sizes);
    expect(posts.flatMap(({ ids }) => ids)).toEqual(records(8).map(({ id }) => id));
  });

  test.each<[keyof Limits, number]>([
    ['max_total_records', 6],
    ['max_total_bytes', 650],
  ])('%s of %i ends an upload; the rest is for the next one', async (name, value) => {
    const { upload, posts } = bench({ limits: { [name]: value } });
    const results = await upload.add(records(8), true);
    expect(kinds(results)).toEqual([...Array(6).fill('staged'), 'later', 'later']);
    expect(await upload.commit()).toEqual(stored(STORED_MS));
    expect(posts.map(({ ids }) => ids.length)).toEqual([4, 2, 0]);
  });

  test.each<[keyof Limits, number]>([
    ['max_record_payload_bytes', 1_000],
    ['max_post_bytes', 1_000],
    ['max_request_bytes', 1_100],
    ['max_total_bytes', 1_000],
  ])('a record beyond %s is refused, the others go on', async (name, value) => {
    const { upload, posts } = bench({ limits: { [name]: value } });
    const [large] = records(1, 1_200, 7);
    const some = [...records(2), large as Outgoing, ...records(2, 100, 2)];
    expect(kinds(await upload.add(some, true))).toEqual([
      'staged',
      'staged',
      'refused tooLarge',
      'staged',
      'staged',
    ]);
    expect(posts.flatMap(({ ids }) => ids)).not.toContain(large?.id);
    expect(await upload.commit()).toMatchObject({ kind: 'stored' });
  });

  test('portions are never larger than a post', () => {
    expect(bench().upload.addMax).toBe(4);
    expect(bench({ limits: { max_total_records: 2 } }).upload.addMax).toBe(2);
  });
});

describe('a refusal as a whole', () => {
  test.each([
    [413, 0],
    [400, 17],
    [400, 8],
    [400, 0],
    [400, { error: 'words' }],
  ])('%i %j is halved until the one bad record stands alone', async (status, body) => {
    const { upload } = bench({
      limits: WIDE,
      answer: ({ ids }) => (ids.includes('record 2') ? [status, body] : undefined),
    });
    const isSize = status === 413 || body === 17;
    expect(kinds(await upload.add(records(4, LARGE), true))).toEqual([
      'staged',
      'staged',
      isSize ? 'later' : body === 8 ? 'refused' : 'moved',
      isSize ? 'later' : body === 8 ? 'staged' : 'moved',
    ]);
  });

  test.each([
    [LARGE, 'refused tooLarge'],
    [SMALL, 'failed'],
  ])('of a record of %i bytes by an empty batch is %s', async (bytes, result) => {
    const { upload } = bench({
      limits: WIDE,
      answer: ({ ids }) => (ids.includes('record 0') ? [413, 0] : undefined),
    });
    expect(kinds(await upload.add(records(3, bytes), true))).toEqual([result, 'staged', 'staged']);
  });

  test.each([
    [LARGE, 'refused'],
    [SMALL, 'failed'],
  ])('of a record of %i bytes without batches is %s', async (bytes, result) => {
    const { upload } = bench({
      limits: WIDE,
      cache: new Map([['noBatches', true]]),
      answer: ({ ids }) => (ids.includes('record 2') ? [400, 0] : undefined),
    });
    expect(kinds(await upload.add(records(4, bytes), false))).toEqual([
      'stored',
      'stored',
      result,
      'stored',
    ]);
  });

  test('finds one bad record of many with few requests', async () => {
    const { upload, posts } = bench({
      limits: { max_post_records: 100, max_total_records: 100 },
      answer: ({ ids }) => (ids.includes('record 40') ? [400, 8] : undefined),
    });
    const results = kinds(await upload.add(records(100), true));
    expect(results.filter((kind) => kind === 'staged')).toHaveLength(99);
    expect(results[40]).toBe('failed');
    expect(posts.length).toBeLessThan(25);
  });

  test.each([413, 400])('of everything by %i ends after a few requests', async (status) => {
    const { upload, posts } = bench({
      limits: { max_post_records: 100, max_total_records: 100 },
      answer: () => [status, 0],
    });
    const results = kinds(await upload.add(records(100), false));
    expect(results).toEqual([...Array(8).fill('failed'), ...Array(92).fill('later')]);
    expect(posts.length).toBeLessThan(20);
    expect(kinds(await upload.add(records(2), true))).toEqual(['later', 'later']);
    expect(await upload.commit()).toEqual({ kind: 'none' });
    expect(posts.length).toBeLessThan(20);
  });

  test.each([
    [400, 14, 'overQuota', 'full'],
    [400, 16, 'clientTooOld', 'newer client'],
    [400, 13, 'badResponse', 'this collection'],
    [400, 6, 'badResponse', 'JSON'],
    [409, 0, 'unavailable', 'status 409'],
    [500, 0, 'unavailable', 'status 500'],
    [503, 0, 'unavailable', 'status 503'],
    [204, 0, 'badResponse', 'status 204'],
  ])('%i %i ends the upload as %s', async (status, body, code, words) => {
    const { upload } = bench({ answer: () => [status, body] });
    await expect(upload.add(records(2), true)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(`^/storage/history: .*${words}`),
    });
  });

  test.each([undefined, null, {}, 'x'.repeat(2_049)])(
    'a batch %#, by no name, is no answer',
    async (batch) => {
      const { upload } = bench({ answer: () => [202, { batch, success: [], failed: {} }] });
      await expect(upload.add(records(1), false)).rejects.toMatchObject({ code: 'badResponse' });
    },
  );

  test('a success without a time is no answer', async () => {
    const { upload } = bench({ answer: () => [200, { success: [], failed: {} }] });
    await expect(upload.add(records(1), true)).rejects.toMatchObject({ code: 'badResponse' });
  });
});
