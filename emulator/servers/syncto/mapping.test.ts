import { describe, expect, it, test } from 'vitest';
import { SynctoError } from './errors.ts';
import {
  answerHeaders,
  bodyObject,
  fromUpstream,
  jsonOf,
  listQuery,
  pairsOf,
  preconditions,
  readRecordBody,
  stampMs,
  toKintoRecord,
} from './mapping.ts';

const AT = new URL('https://syncto.example/v1/buckets/syncto/collections/history/records');
const JSON_TYPE = 'application/json';

/** Status, errno and message of what is refused. */
async function refusal(work: () => unknown): Promise<unknown[]> {
  try {
    await work();
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SynctoError);
    const { status, errno, message } = error as SynctoError;
    return [status, errno, message];
  }
}

const queryOf = (search: string) => listQuery(pairsOf(new URL(search, AT))).toString();

describe('the query of a list', () => {
  test.each([
    ['', 'full=True'],
    ['?_since=1500000000123', 'full=True&newer=1500000000.12'],
    ['?_since=+1_000 ', 'full=True&newer=1.00'],
    ['?_since=-5', 'full=True&newer=-0.01'],
    // Python takes the even hundredth in the middle.
    ['?_since=125', 'full=True&newer=0.12'],
    ['?_since=375', 'full=True&newer=0.38'],
    ['?_since=1&_since=2000', 'full=True&newer=2.00'],
    [`?_since=${'0'.repeat(63)}5`, 'full=True&newer=0.01'],
    ['?_limit=5&_token=abc', 'full=True&limit=5&offset=abc'],
    ['?_sort=-last_modified', 'full=True&sort=newest'],
    ['?_sort=oldest', 'full=True&sort=oldest'],
    ['?_sort=-sortindex', 'full=True&sort=index'],
    ['?in_ids=a, b,,c', 'full=True&ids=a%2Cb%2Cc'],
    ['?in_ids=', 'full=True&ids='],
    ['?_limit=1;_token=2', 'full=True&limit=1&offset=2'],
    ['?other=1&_before=2', 'full=True'],
  ])('%j is %s', (search, expected) => {
    expect(queryOf(search)).toBe(expected);
  });

  it('is a time with an exponent where it is out of all reach', () => {
    expect(queryOf(`?_since=${'9'.repeat(30)}`)).toMatch(/newer=\d{28}\.00$/);
  });

  test.each([
    ['?_since="1"', '_since should be a number.'],
    ['?_since=1.5', '_since should be a number.'],
    ['?_since=', '_since should be a number.'],
    ['?_since=1__0', '_since should be a number.'],
    [`?_since=${'9'.repeat(65)}`, '_since should be a number.'],
    [
      '?_sort=title',
      "_sort should be one of ('-last_modified', 'newest', '-sortindex', 'index', " +
        "'last_modified', 'oldest')",
    ],
    ['?a=%ff', 'querystring: Its escapes are no UTF-8'],
  ])('%s is refused in the words of Syncto', async (search, message) => {
    expect(await refusal(() => queryOf(search))).toEqual([400, 107, message]);
  });

  it('may hold a replacement character, where somebody wrote one', () => {
    expect(pairsOf(new URL('?a=%EF%BF%BD', AT))).toEqual([['a', '\ufffd']]);
    expect(pairsOf(new URL('?a=%', AT))).toEqual([['a', '%']]);
  });
});

describe('preconditions', () => {
  const of = (headers: Record<string, string>) => preconditions(new Headers(headers));

  it('are times in seconds, and 0 for what must not be there', () => {
    expect(of({})).toEqual({});
    expect(of({ 'If-Match': '"1500"' })).toEqual({ 'X-If-Unmodified-Since': '1.50' });
    expect(of({ 'If-None-Match': '"1500"' })).toEqual({ 'X-If-Modified-Since': '1.50' });
    expect(of({ 'If-None-Match': '*' })).toEqual({ 'X-If-Unmodified-Since': '0' });
  });

  test.each([
    ['If-Match', '1500'],
    ['If-Match', '"x"'],
    ['If-Match', '*'],
    ['If-None-Match', '"1.5"'],
  ])('%s: %s is refused', async (name, value) => {
    expect(await refusal(() => of({ [name]: value }))).toEqual([
      400,
      107,
      `headers: Invalid value for ${name}`,
    ]);
  });
});

describe('a body', () => {
  it('is a JSON object of that type, a byte order mark before it or not', () => {
    expect(bodyObject('\ufeff{"a":1}', JSON_TYPE, 'a')).toEqual({ a: 1 });
    expect(bodyObject('{}', 'application/json; charset=utf-8', 'a')).toEqual({});
  });

  test.each([
    ['', JSON_TYPE, 'data is missing'],
    ['{}', 'text/plain', 'data is missing'],
    ['{}', null, 'data is missing'],
    ['{}', 'application/jsonx', 'data is missing'],
    ['{', JSON_TYPE, 'body: Invalid JSON request body'],
    ['[]', JSON_TYPE, 'body: Invalid JSON: Should be a JSON object'],
    ['null', JSON_TYPE, 'body: Invalid JSON: Should be a JSON object'],
  ])('%j of %s is refused: %s', async (text, type, message) => {
    const found = await refusal(() => bodyObject(text, type, 'data'));
    expect(found).toEqual([400, 107, message]);
  });

  it('has at most 500 levels, those in texts not counted', async () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(bodyObject(nested(500), JSON_TYPE, 'a')).toBeDefined();
    expect(await refusal(() => bodyObject(nested(501), JSON_TYPE, 'a'))).toEqual([
      400,
      107,
      'body: It has more than 500 levels',
    ]);
    for (const flat of ['{},', '[],']) {
      expect(bodyObject(`{"a":[${flat.repeat(600)}1]}`, JSON_TYPE, 'a')).toBeDefined();
    }
    const inText = JSON.stringify({ a: `${'['.repeat(600)}"\\`, b: [[1], [2]] });
    expect(bodyObject(inText, JSON_TYPE, 'a')).toBeDefined();
  });
});

describe('a record that is written', () => {
  const of = (body: unknown, search = '') =>
    readRecordBody(JSON.stringify(body), JSON_TYPE, pairsOf(new URL(search, AT)));

  it('is what is in data, without its id and stamp', () => {
    const data = { id: 'a', last_modified: 5, payload: 'p', sortindex: 1 };
    expect(of({ data })).toEqual({ payload: 'p', sortindex: 1 });
    expect(of({ data: {} }, '?data=1')).toEqual({});
  });

  test.each<[unknown, string, string]>([
    [{}, '', 'data is missing'],
    [{ data: [] }, '', 'data is not an object'],
    [{ data: {}, permissions: {} }, '', 'permissions is not allowed'],
    [{ data: {} }, '?_since=1', '_since is not allowed'],
    // The one whose name comes first.
    [{ data: {}, z: 1 }, '?b=1', 'b is not allowed'],
  ])('%j%s is refused: %s', async (body, search, message) => {
    const [status, errno, text] = await refusal(() => of(body, search));
    expect([status, errno]).toEqual([400, 107]);
    expect(text).toContain(message);
  });
});

describe('a record of storage', () => {
  it('has its stamp in whole milliseconds, cut off', () => {
    expect(toKintoRecord({ id: 'a', modified: 1.239, payload: 'p' })).toEqual({
      id: 'a',
      payload: 'p',
      last_modified: 1239,
    });
    expect([stampMs(0.0019), stampMs(true), stampMs(-0.5)]).toEqual([1, 1000, -500]);
  });

  test.each([[null], ['a'], [{ modified: '1' }], [{}], [{ modified: Number.POSITIVE_INFINITY }]])(
    'that is %j is an internal error',
    async (bso) => {
      expect((await refusal(() => toKintoRecord(bso))).slice(0, 2)).toEqual([500, 999]);
    },
  );
});

describe('the headers of an answer', () => {
  const of = (headers: Record<string, string>, url = AT) =>
    answerHeaders(new Headers(headers), url);

  it('have a stamp as an ETag and as a date, and what storage tells of itself', () => {
    expect(of({})).toEqual({ 'Cache-Control': 'no-cache' });
    const all = {
      'X-Last-Modified': '1500000000.12',
      'X-Weave-Records': '7',
      'X-Weave-Quota-Remaining': '9',
      'X-Weave-Alert': 'soon',
      'X-Weave-Backoff': '30',
    };
    expect(of(all)).toEqual({
      'Cache-Control': 'no-cache',
      ETag: '"1500000000120"',
      'Last-Modified': 'Fri, 14 Jul 2017 02:40:00 GMT',
      ...{ 'Total-Records': '7', 'Quota-Remaining': '9', Alert: 'soon', Backoff: '30' },
    });
  });

  it('have the next page by its whole address', () => {
    const url = new URL('?_limit=2&_token=old&in_ids=*a', AT);
    expect(of({ 'X-Weave-Next-Offset': 'a b' }, url)['Next-Page']).toBe(
      `${AT.href}?_limit=2&in_ids=%2Aa&_token=a+b`,
    );
  });

  it('are an internal error with a stamp that is none', async () => {
    for (const stamp of ['x', '', '1,5', 'Infinity']) {
      const found = await refusal(() => of({ 'X-Last-Modified': stamp }));
      expect(found.slice(0, 2)).toEqual([500, 999]);
    }
    expect(of({ 'X-Last-Modified': '.5e1' }).ETag).toBe('"5000"');
  });
});

describe('an answer that is a refusal', () => {
  const of = (status: number, body = 'why') =>
    fromUpstream(new Response(status === 304 ? null : body, { status }), AT);

  test.each([
    [304, 0, '304 Not Modified: '],
    [400, 107, '400 Bad Request: why'],
    [401, 105, '401 Unauthorized: why'],
    [403, 121, '403 Forbidden: why'],
    [404, 110, '404 Not Found: why'],
    [412, 114, 'Resource was modified meanwhile'],
  ])('of %i keeps its status, errno %i: %s', async (status, errno, message) => {
    expect(await of(status)).toMatchObject({ status, errno, message });
  });

  test.each([413, 429, 500, 503])('of %i looks like an outage', async (status) => {
    expect(await of(status)).toMatchObject({ status: 503, errno: 201 });
  });

  it('repeats no page of HTML', async () => {
    const { message } = await of(400, 'x'.repeat(2_049));
    expect(message).toBe('400 Bad Request: a long answer');
    expect((await of(400, 'x'.repeat(2_048))).message).toHaveLength(2_048 + 17);
  });
});

describe('the JSON of an answer', () => {
  it('is what it says', async () => {
    expect(await jsonOf(new Response('[1]'))).toEqual([1]);
  });

  it('is an internal error where it is none, and an outage where it breaks off', async () => {
    const none = await refusal(() => jsonOf(new Response('<html>')));
    expect(none.slice(0, 2)).toEqual([500, 999]);
    const broken = new ReadableStream({
      pull(controller) {
        controller.error(new Error('ECONNRESET'));
      },
    });
    const cut = await refusal(() => jsonOf(new Response(broken)));
    expect(cut.slice(0, 2)).toEqual([503, 201]);
  });
});
