// Who asks a Kinto, and how many requests go out together.

import { describe, expect, test } from 'vitest';
import { type Answered, HELLO, serverThat } from '../../../test/support/kinto-server.ts';
import { partHeader } from './batch.ts';

const part = (path: string) => ({ method: 'HEAD', path }) as const;
const ok = (body: string): Answered => {
  const { requests } = JSON.parse(body) as { requests: { path: string }[] };
  const responses = requests.map(({ path }) => ({
    status: 200,
    headers: { ETAG: path },
    body: '',
  }));
  return { status: 200, json: { responses } };
};
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('a name and a password go as RFC 7617 has them, a token as a bearer', async () => {
  const given: string[] = [];
  for (const auth of ['basic', 'bearer'] as const) {
    const { server } = serverThat((_, authorization) => {
      given.push(authorization);
      return { status: 200, json: HELLO };
    }, auth);
    await server.batchMax();
  }
  expect(given).toEqual([basic('ü:old'), 'Bearer access']);
});

test('without a name and a password nobody is asked', async () => {
  const { server, notes } = serverThat(() => ({ status: 200, json: HELLO }));
  const { server: bare } = serverThat(() => ({ status: 200, json: HELLO }), 'bearer');
  expect(await server.batchMax()).toBe(2);
  expect(await bare.batchMax()).toBe(2);
  expect(notes.requests).toBe(1);
});

test('the server says once how many requests it takes; one that does not takes 25', async () => {
  const asked: string[] = [];
  const { server, memory } = serverThat((path) => {
    asked.push(path);
    return { status: 200, json: HELLO };
  });
  expect([await server.batchMax(), await server.batchMax()]).toEqual([2, 2]);
  expect([asked, memory.batchRequestsMax]).toEqual([['/v1/'], 2]);
  const { server: silent } = serverThat(() => ({ status: 200, json: { settings: {} } }));
  expect(await silent.batchMax()).toBe(25);
});

describe('small requests', () => {
  test('go in as many batches as they need, and each gets its own answer', async () => {
    let batches = 0;
    const { server } = serverThat((path, _, body) => {
      if (path === '/v1/') return { status: 200, json: HELLO };
      batches++;
      return ok(body);
    });
    const answers = await server.ask(['/a', '/b', '/c'].map(part));
    expect(batches).toBe(2);
    const tags = answers === 'readOnly' ? [] : answers.map((one) => partHeader(one, 'etag'));
    expect(tags).toEqual(['/a', '/b', '/c']);
  });

  test('whose sign-in is refused are sent once more under a fresh one', async () => {
    const { server } = serverThat((path, authorization, body) => {
      if (path === '/v1/') return { status: 200, json: HELLO };
      const isKnown = authorization === basic('ü:new');
      if (path === '/v1/buckets/b') return { status: isKnown ? 200 : 401, json: {} };
      if (isKnown) return ok(body);
      return { status: 200, json: { responses: [{ status: 401, headers: {}, body: {} }] } };
    });
    expect(await server.ask([part('/buckets/b/a')])).toMatchObject([{ status: 200 }]);
  });

  test('whose sign-in is refused again are unauthorized', async () => {
    const { server } = serverThat((path) => {
      if (path === '/v1/') return { status: 200, json: HELLO };
      if (path === '/v1/buckets/b') return { status: 401, json: {} };
      return { status: 200, json: { responses: [{ status: 401, headers: {}, body: {} }] } };
    });
    await expect(server.ask([part('/buckets/b/a')])).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  test.each([
    [503, 'unavailable'],
    [500, 'unavailable'],
    [507, 'overQuota'],
    [404, 'badResponse'],
    [400, 'badResponse'],
  ])('of a batch that is answered %i end with %s', async (status, code) => {
    const { server } = serverThat((path) =>
      path === '/v1/' ? { status: 200, json: HELLO } : { status, json: {} },
    );
    await expect(server.ask([part('/a')])).rejects.toMatchObject({ code });
  });

  test('of a server that takes no batch are answered so', async () => {
    const { server } = serverThat((path) =>
      path === '/v1/' ? { status: 200, json: HELLO } : { status: 405, json: {} },
    );
    expect(await server.ask([part('/a')])).toBe('readOnly');
  });
});
