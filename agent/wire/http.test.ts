import { describe, expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Network, NetworkRequest } from '../../platform/ports.ts';
import { NetworkError } from '../../platform/web/fetch-network.ts';
import { SyncError } from '../errors.ts';
import { EXCHANGE_LIMITS } from '../limits.ts';
import { type Make, streamedBody } from './body.ts';
import {
  type Answer,
  createHttp,
  type Exchange,
  type HttpOptions,
  notedHeaders,
  refusalOf,
  type ServerNotes,
} from './http.ts';

const NOW_MS = 1_795_330_000_000;
const GET: Exchange = { method: 'GET', url: 'https://sync.test/v1/' };

function setUp(
  answers: readonly ((request: Request) => Response | Promise<Response>)[],
  options: Partial<HttpOptions> = {},
  request?: Network['request'],
) {
  const requests: Request[] = [];
  const freshness: boolean[] = [];
  const notes: ServerNotes = {
    requests: 0,
    waitMs: 0,
    alert: null,
    gone: false,
    quotaRemainingBytes: null,
    serverNowMs: 0,
  };
  const abort = { aborted: false };
  const platform = memoryPlatform({
    storage: new MemoryStorage(),
    ...(request && { network: { request } }),
    fetch: async (request) => {
      const answer = answers[Math.min(requests.push(request), answers.length) - 1];
      return answer === undefined ? new Response() : answer(request);
    },
    identity: {
      account: async () => ({ uid: 'u', email: 'e' }),
      assertion: async () => 'a',
      accessToken: async () => ({ token: 't' }),
      syncKey: async () => ({ kB: '' }),
    },
    nowMs: NOW_MS,
    random: (count) => new Uint8Array(count),
  });
  const http = createHttp({
    platform,
    notes,
    abort,
    async authorize(fresh) {
      freshness.push(fresh);
      return [['Authorization', `pass ${freshness.length}`]];
    },
    judge: () => null,
    ...options,
  });
  const sent = () => requests.map(({ headers }) => headers.get('authorization'));
  return { http, notes, abort, requests, freshness, sent };
}

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}) =>
  () =>
    new Response(code === 204 || code === 304 ? null : 'body', { status: code, headers });

/** The notes after one answer with these headers. */
async function noted(
  headers: Readonly<Record<string, string>>,
  options: Partial<HttpOptions> = {},
): Promise<ServerNotes> {
  const { http, notes } = setUp([status(200, headers)], options);
  await http.send(GET);
  return notes;
}

describe('an exchange', () => {
  test('carries authorization, headers and body, and is counted', async () => {
    const { http, requests, notes, sent } = setUp([status(200)]);
    const headers = [['If-Match', '"7"']] as const;
    const answer = await http.send({ ...GET, method: 'PUT', headers, body: '{}' });
    expect(answer.status).toBe(200);
    expect(await answer.read()).toBe('body');
    expect(await answer.read()).toBeNull();
    const [request] = requests;
    expect([request?.method, request?.headers.get('if-match')]).toEqual(['PUT', '"7"']);
    expect(await request?.text()).toBe('{}');
    expect(sent()).toEqual(['pass 1']);
    expect(notes.requests).toBe(1);
  });

  test.each([200, 204, 304, 400, 403, 404, 405, 409, 410, 412, 413, 429, 500, 503, 513])(
    '%i means what its protocol says, and here nothing',
    async (code) => {
      const { http, requests } = setUp([status(code)]);
      expect((await http.send(GET)).status).toBe(code);
      expect(requests).toHaveLength(1);
    },
  );

  test('ends with the error that its protocol has for the answer, which it may read', async () => {
    const judge = async (answered: Answer) =>
      answered.status === 410 ? new SyncError('conflict', `${await answered.read()}`) : null;
    const { http, requests } = setUp([status(200), status(410)], { judge });
    expect((await http.send(GET)).status).toBe(200);
    await expect(http.send(GET)).rejects.toMatchObject({ code: 'conflict', message: 'body' });
    expect(requests).toHaveLength(2);
  });

  test.each([300, 301, 302, 307])('%i is followed nowhere, in any protocol', async (code) => {
    const location = { location: 'https://evil.test/' };
    const { http, requests } = setUp([status(code, location)]);
    const error = { code: 'badResponse', detail: { status: code } };
    await expect(http.send(GET)).rejects.toMatchObject(error);
    expect(requests.map(({ url }) => url)).toEqual([GET.url]);
  });

  test.each([
    ['offline', 'offline'],
    ['timeout', 'timeout'],
  ] as const)('fails as its connection does: %s', async (code, meaning) => {
    const failing = () => Promise.reject(new NetworkError(code));
    const { http, notes } = setUp([failing]);
    await expect(http.send(GET)).rejects.toMatchObject({ code: meaning });
    expect(notes.requests).toBe(1);
  });

  test('fails while it is read as its connection does', async () => {
    const { http } = setUp([() => new Response(Uint8Array.of(0xff))]);
    const answer = await http.send(GET);
    await expect(answer.read()).rejects.toMatchObject({ code: 'badResponse' });
  });
});

test('an exchange has its limits, and what is sent has time to go up', async () => {
  const asked: NetworkRequest[] = [];
  const { http } = setUp([], {}, async (request) => {
    asked.push(request);
    return { status: 204, headers: [], read: async () => null, cancel: () => undefined };
  });
  await http.send(GET);
  await http.send({ ...GET, method: 'POST', body: 'x'.repeat(24_000) });
  // Each piece of it has its own time.
  const body = streamedBody({ aborted: false }, () => async () => null, 24_000);
  await http.send({ ...GET, method: 'POST', body });
  const { timeoutMs } = EXCHANGE_LIMITS;
  expect(asked).toMatchObject([
    { ...EXCHANGE_LIMITS, timeoutMs },
    { ...EXCHANGE_LIMITS, timeoutMs: timeoutMs + 24_000 },
    { ...EXCHANGE_LIMITS, timeoutMs },
  ]);
});

describe('a body that is made while it goes up', () => {
  const parts = (): Make => {
    const left = ['{"a":', '"b"}'];
    return async () => left.shift() ?? null;
  };

  test('is made anew when its authorization is renewed', async () => {
    const texts: string[] = [];
    const refusing = async (request: Request) => {
      texts.push(await request.text());
      return new Response(null, { status: texts.length === 1 ? 401 : 200 });
    };
    const { http, abort, sent } = setUp([refusing]);
    const body = streamedBody(abort, parts);
    expect((await http.send({ ...GET, method: 'PUT', body })).status).toBe(200);
    expect(texts).toEqual(['{"a":"b"}', '{"a":"b"}']);
    expect(sent()).toEqual(['pass 1', 'pass 2']);
  });

  test('ends the exchange as the pass ends', async () => {
    const { http, abort } = setUp([async (request) => new Response(await request.text())]);
    const begin = (): Make => async () => {
      abort.aborted = true;
      return 'x';
    };
    const sent = http.send({ ...GET, method: 'PUT', body: streamedBody(abort, begin) });
    await expect(sent).rejects.toMatchObject({ code: 'aborted' });
  });

  test('fails as its maker does', async () => {
    const { http, abort } = setUp([async (request) => new Response(await request.text())]);
    const begin = (): Make => () => Promise.reject(new SyncError('damaged', 'a page of it'));
    const sent = http.send({ ...GET, method: 'PUT', body: streamedBody(abort, begin) });
    await expect(sent).rejects.toMatchObject({ code: 'damaged', message: 'a page of it' });
  });
});

test('a redirect is told as one, and not where it leads to', async () => {
  const location = 'https://user:secret@portal.example/login?token=secret';
  const { http } = setUp([status(302, { location })]);
  const error = await http.send(GET).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'sync: the server sends elsewhere with status 302' });
  expect(JSON.stringify(error)).not.toContain('secret');
});

describe('an authorization that is refused', () => {
  test('is renewed once, and the same is asked again', async () => {
    const { http, requests, freshness, sent } = setUp([status(401), status(200)]);
    expect((await http.send({ ...GET, method: 'POST', body: 'x' })).status).toBe(200);
    expect(freshness).toEqual([false, true]);
    expect(sent()).toEqual(['pass 1', 'pass 2']);
    expect(await Promise.all(requests.map((request) => request.text()))).toEqual(['x', 'x']);
  });

  test('and refused again is for the protocol to judge, which saw the first one not', async () => {
    const judged: number[] = [];
    const judge = (answered: Answer) => {
      judged.push(answered.status);
      return refusalOf(answered, 'unauthorized', 'it');
    };
    const { http, requests } = setUp([status(401), status(401), status(200)], { judge });
    await expect(http.send(GET)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(requests).toHaveLength(2);
    expect(judged).toEqual([401]);
  });

  test('has its own chance in every exchange', async () => {
    const answers = [status(401), status(200), status(401), status(200)];
    const { http, freshness } = setUp(answers);
    await http.send(GET);
    await http.send(GET);
    expect(freshness).toEqual([false, true, false, true]);
  });

  test('because nobody is signed in says so, and asks no server', async () => {
    const { http, requests } = setUp([status(200)], {
      authorize: async () => {
        throw Object.assign(new Error('x'), { code: 'signedOut' });
      },
    });
    await expect(http.send(GET)).rejects.toMatchObject({ code: 'signedOut' });
    expect(requests).toHaveLength(0);
  });
});

describe('what a server says beside its answer', () => {
  test.each(['Backoff', 'Retry-After'])('%s: a wish to wait', async (name) =>
    expect(await noted({ [name]: '90' })).toMatchObject({ waitMs: 90_000 }),
  );

  test('also under a name of its protocol, where that has one', async () => {
    const own = { noted: notedHeaders('x-own-time', '', 'x-own-') };
    for (const name of ['X-Own-Backoff', 'X-Own-Retry-After', 'Backoff']) {
      expect(await noted({ [name]: '90' }, own)).toMatchObject({ waitMs: 90_000 });
      if (name !== 'Backoff') expect(await noted({ [name]: '90' })).toMatchObject({ waitMs: 0 });
    }
    expect(await noted({ 'X-Own-Alert': 'x' }, own)).toMatchObject({ alert: 'x' });
    expect(await noted({ 'X-Own-Quota-Remaining': '2' }, own)).toMatchObject({
      quotaRemainingBytes: 2_048,
    });
    const date = new Date(NOW_MS).toUTCString();
    const both = { 'X-Own-Time': '1795330000.12', Date: date };
    expect(await noted(both, own)).toMatchObject({ serverNowMs: NOW_MS + 120 });
    expect(await noted(both)).toMatchObject({ serverNowMs: NOW_MS });
  });

  test('the largest of several wishes counts, over all answers', async () => {
    expect(await noted({ Backoff: '30', 'Retry-After': '90' })).toMatchObject({ waitMs: 90_000 });
    const { http, notes } = setUp([status(200, { Backoff: '90' }), status(200, { Backoff: '30' })]);
    await http.send(GET);
    await http.send(GET);
    expect(notes.waitMs).toBe(90_000);
  });

  test('a wait until a date is as long as by the server’s clock', async () => {
    const far = NOW_MS - 1e12;
    const [date, until] = [far, far + 60_000].map((ms) => new Date(ms).toUTCString());
    const headers = { Date: date ?? '', 'Retry-After': until ?? '' };
    expect(await noted(headers)).toMatchObject({ waitMs: 60_000 });
  });

  test('also with an answer that ends the pass, and with one that is asked again', async () => {
    const gone = setUp([status(302, { 'Retry-After': '90' })]);
    await expect(gone.http.send(GET)).rejects.toThrow();
    expect(gone.notes.waitMs).toBe(90_000);
    const again = setUp([status(401, { Backoff: '60' }), status(200)]);
    await again.http.send(GET);
    expect(again.notes.waitMs).toBe(60_000);
  });

  test('an alert is for the user, and as long as one can read', async () => {
    expect(await noted({ Alert: 'down on Sunday' })).toMatchObject({
      alert: 'down on Sunday',
      gone: false,
    });
    expect((await noted({ Alert: 'x'.repeat(9_000) })).alert).toHaveLength(500);
  });

  test('an alert may say that the service ends; the announcement of it does not', async () => {
    const eol = (code: string) => JSON.stringify({ code, message: 'bye', url: 'https://a/' });
    expect(await noted({ Alert: eol('hard-eol') })).toMatchObject({ gone: true });
    expect(await noted({ Alert: eol('soft-eol') })).toMatchObject({ gone: false });
  });

  test('the room that is left comes in kilobytes', async () => {
    expect(await noted({ 'Quota-Remaining': '2.5' })).toMatchObject({ quotaRemainingBytes: 2_560 });
    expect(await noted({ 'Quota-Remaining': '-1' })).toMatchObject({ quotaRemainingBytes: null });
  });

  test('its time comes as a date', async () => {
    const date = new Date(NOW_MS).toUTCString();
    expect(await noted({ Date: date })).toMatchObject({ serverNowMs: NOW_MS });
  });

  test('nothing is noted of an answer without any', async () => {
    expect(await noted({})).toEqual({
      requests: 1,
      waitMs: 0,
      alert: null,
      gone: false,
      quotaRemainingBytes: null,
      serverNowMs: 0,
    });
  });
});

describe('a pass that is cancelled', () => {
  test('sends nothing any more', async () => {
    const { http, abort, requests } = setUp([status(200)]);
    abort.aborted = true;
    await expect(http.send(GET)).rejects.toMatchObject({ code: 'aborted' });
    expect(requests).toHaveLength(0);
  });

  test('sends nothing when what proves who asks comes late', async () => {
    const it = setUp([status(200)], {
      async authorize() {
        it.abort.aborted = true;
        return [];
      },
    });
    await expect(it.http.send(GET)).rejects.toMatchObject({ code: 'aborted' });
    expect(it.requests).toHaveLength(0);
  });

  test('stops at the next piece of an answer, and gives it up', async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Uint8Array.of(0x61)),
      cancel: () => {
        isCancelled = true;
      },
    });
    const { http, abort } = setUp([() => new Response(body)]);
    const answer = await http.send(GET);
    expect(await answer.read()).toBe('a');
    abort.aborted = true;
    await expect(answer.read()).rejects.toMatchObject({ code: 'aborted' });
    await new Promise(setImmediate);
    expect(isCancelled).toBe(true);
  });
});

test('an answer that nobody reads any further is given up, and told by its status', async () => {
  let isCancelled = false;
  const cancel = () => {
    isCancelled = true;
  };
  const { http } = setUp([() => new Response(new ReadableStream({ cancel }), { status: 418 })]);
  const error = refusalOf(await http.send(GET), 'conflict', 'hello');
  expect(error).toMatchObject({
    code: 'conflict',
    message: 'hello: the server answered with status 418',
    detail: { status: 418 },
  });
  await new Promise(setImmediate);
  expect(isCancelled).toBe(true);
});
