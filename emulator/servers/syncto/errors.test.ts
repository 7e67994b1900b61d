import { describe, expect, it, test } from 'vitest';
import {
  badRequest,
  bodyFault,
  type Fault,
  internalError,
  OVERLOADED,
  SynctoError,
  unauthorized,
} from './errors.ts';

const of = async (error: SynctoError) => {
  const response = error.toResponse(30);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? null : JSON.parse(text),
  };
};

describe('a refusal', () => {
  it('says its status in words, and why if there is something to say', async () => {
    const { status, headers, body } = await of(new SynctoError(404, 110, 'gone'));
    expect([status, headers.get('content-type')]).toEqual([404, 'application/json; charset=UTF-8']);
    expect(body).toEqual({ code: 404, errno: 110, error: 'Not Found', message: 'gone' });
    expect((await of(new SynctoError(404, 110, ''))).body).not.toHaveProperty('message');
  });

  it('asks to come back later where it is an outage, and for nothing else', async () => {
    const outage = await of(new SynctoError(503, 201, OVERLOADED, { headers: { Backoff: '5' } }));
    expect([outage.headers.get('retry-after'), outage.headers.get('backoff')]).toEqual(['30', '5']);
    expect((await of(new SynctoError(500, 999, ''))).headers.get('retry-after')).toBeNull();
  });

  it('asks who it is where it is not known', async () => {
    const { headers, body } = await of(unauthorized('who?'));
    expect(headers.get('www-authenticate')).toBe('Basic realm="Realm"');
    expect(body).toMatchObject({ code: 401, errno: 104, message: 'who?' });
  });

  it('has no body where nothing has changed', async () => {
    const unchanged = new SynctoError(304, 0, '', { headers: { ETag: '"1"' } });
    const { status, headers, body } = await of(unchanged);
    expect([status, headers.get('etag'), body]).toEqual([304, '"1"', null]);
  });

  it('that is a fault of the gateway says where to tell of it', async () => {
    expect((await of(internalError())).body).toMatchObject({
      code: 500,
      errno: 999,
      info: expect.stringContaining('https://'),
    });
    expect(internalError().isInvalid).toBe(false);
  });
});

describe('a request that is wrong', () => {
  const fault = (name: string | null, description: string): Fault => ({
    location: 'body',
    name,
    description,
  });

  it('has all faults listed, and the message of the one whose name comes first', async () => {
    const faults = [fault('b', 'is wrong'), fault('a', 'a is missing')];
    const error = badRequest(...faults);
    expect(error.isInvalid).toBe(true);
    expect((await of(error)).body).toEqual({
      code: 400,
      errno: 107,
      error: 'Invalid parameters',
      message: 'a is missing',
      details: faults,
    });
  });

  test.each<[Fault[], string]>([
    [[], ''],
    [[fault('a', 'is wrong')], 'a in body: is wrong'],
    [[fault(null, 'is wrong')], 'body: is wrong'],
    // No name sorts as None does.
    [[fault('P', 'x'), fault(null, 'y')], 'body: y'],
    [[fault('M', 'x'), fault(null, 'y')], 'M in body: x'],
  ])('%j: %j', (faults, message) => {
    expect(badRequest(...faults).message).toBe(message);
  });
});

test('a body that is no JSON is a fault of ours, one that breaks off an outage', () => {
  const own = new SynctoError(412, 114, '');
  expect(bodyFault(own)).toBe(own);
  expect(bodyFault(new SyntaxError('x')).status).toBe(500);
  expect(bodyFault(new RangeError('x')).status).toBe(500);
  expect(bodyFault(new TypeError('terminated'))).toMatchObject({ status: 503, errno: 201 });
});
