import { describe, expect, it, test } from 'vitest';
import { type Answer, checkPreconditions, finish } from './answer.ts';
import { type Health, HttpError } from './http.ts';

const NOW_MS = 1_500_000_000_128;

function requestOf(headers: Record<string, string>, method = 'GET'): Request {
  return new Request('https://h/', { method, headers });
}

/** What is thrown: status, body and the stamp that is told. */
function thrown(headers: Record<string, string>, modifiedMs: number, method = 'GET'): unknown {
  try {
    checkPreconditions(requestOf(headers, method), modifiedMs);
    return null;
  } catch (error) {
    const { status, json, headers: told } = error as HttpError;
    expect(error).toBeInstanceOf(HttpError);
    return [status, json, told['X-Last-Modified'] ?? null];
  }
}

describe('preconditions', () => {
  const since = (text: string) => ({ 'X-If-Modified-Since': text });
  const unmodified = (text: string) => ({ 'X-If-Unmodified-Since': text });

  test.each<[object, number, string, unknown]>([
    [{}, 5_000, 'GET', null],
    [since('5.00'), 5_000, 'GET', [304, null, '5.00']],
    [since('5.00'), 5_010, 'GET', null],
    [since('5.00'), 5_000, 'PUT', null],
    [unmodified('5.00'), 5_000, 'PUT', null],
    [unmodified('5.00'), 5_000, 'GET', null],
    [unmodified('5.00'), 5_010, 'PUT', [412, 0, '5.01']],
    [unmodified('0'), 0, 'PUT', null],
    [unmodified('x'), 0, 'PUT', [400, 0, null]],
    [since('-1'), 0, 'GET', [400, 0, null]],
    [{ ...since('5'), ...unmodified('5') }, 0, 'GET', [400, 0, null]],
  ])('%j at %i, %s: %j', (headers, modifiedMs, method, expected) => {
    expect(thrown(headers as Record<string, string>, modifiedMs, method)).toEqual(expected);
  });
});

describe('an answer', () => {
  const words = async (
    answer: Answer,
    { accept, health = {} }: { accept?: string; health?: Health } = {},
  ) => {
    const request = requestOf(accept === undefined ? {} : { accept });
    const response = finish(request, answer, NOW_MS, health);
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, text: await response.text() };
  };

  it('is JSON under the time of now, or of the last change where that is later', async () => {
    expect(await words({ json: { a: 1 } })).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json', 'x-weave-timestamp': '1500000000.12' },
      text: '{"a":1}',
    });
    const later = await words({ json: 1, modifiedMs: NOW_MS + 10_002, headers: { 'X-A': 'b' } });
    expect(later.headers).toMatchObject({
      'x-weave-timestamp': '1500000010.13',
      'x-last-modified': '1500000010.13',
      'x-a': 'b',
    });
  });

  it('says that the server is in trouble', async () => {
    const { headers } = await words({ json: 1 }, { health: { alert: 'soon', backoffSeconds: 30 } });
    expect(headers).toMatchObject({ 'x-weave-alert': 'soon', 'x-weave-backoff': '30' });
  });

  it('has no body where nothing has changed', async () => {
    const { status, headers, text } = await words({ status: 304, modifiedMs: 5_000, json: 1 });
    expect([status, headers['x-last-modified'], text]).toEqual([304, '5.00', '']);
    expect(headers['content-type']).toBeUndefined();
  });

  async function* portions(...values: unknown[][]) {
    yield* values;
  }

  test.each<[string | undefined, string]>([
    [undefined, 'application/json'],
    ['application/json', 'application/json'],
    ['application/*;q=0.5', 'application/json'],
    ['text/html, */*', 'application/json'],
    ['application/newlines', 'application/newlines'],
    ['application/json, application/newlines', 'application/newlines'],
  ])('that is a list, to who accepts %s, is %s', async (accept, type) => {
    const expected = type === 'application/json' ? '[1,{"a":2}]' : '1\n{"a":2}\n';
    for (const list of [[1, { a: 2 }], portions([1], [], [{ a: 2 }])]) {
      const { headers, text } = await words({ list }, { ...(accept && { accept }) });
      expect([headers['content-type'], text]).toEqual([type, expected]);
    }
  });

  it('that is an empty list is one in both forms', async () => {
    for (const list of [() => [], () => portions(), () => portions([], [])]) {
      expect((await words({ list: list() })).text).toBe('[]');
      expect((await words({ list: list() }, { accept: 'application/newlines' })).text).toBe('');
    }
  });

  it('that is a list is nothing for who accepts neither form', async () => {
    expect(await words({ list: [1] }, { accept: 'text/html' })).toMatchObject({
      status: 406,
      text: '0',
    });
    expect(await words({ json: 1 }, { accept: 'text/html' })).toMatchObject({ status: 200 });
  });
});
