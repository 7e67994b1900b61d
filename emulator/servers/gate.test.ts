// The gate by itself; over sockets it is tried in serve.test.ts.

import { expect, test } from 'vitest';
import { judge } from './gate.ts';

const asked = (origin: string, target = '/sync15/1.5/1/info/collections') => ({
  method: 'GET',
  target,
  headers: { host: '127.0.0.1:8000', origin },
});

test('pages of any origin may ask where all are allowed, but never a gateway', () => {
  const options = { hosts: [], origins: ['*'] };
  for (const origin of ['https://app.example', 'null']) {
    const { answer, headers } = judge(asked(origin), options);
    expect([answer, headers['access-control-allow-origin']]).toEqual([null, origin]);
    expect(judge(asked(origin, '/syncto/v1/'), options).answer?.status).toBe(403);
  }
  const unknown = { ...asked('https://app.example'), headers: { host: 'evil.example' } };
  expect(judge(unknown, options).answer?.status).toBe(421);
});

test('pages of the servers themselves may ask, behind TLS, too', () => {
  const options = { hosts: [], origins: [], own: 'https://sync.example' };
  expect(judge(asked('https://sync.example'), options).answer).toBeNull();
  expect(judge(asked('http://sync.example'), options).answer?.status).toBe(403);
});

test('a page whose origin only begins like one that is allowed may not ask', () => {
  const options = { hosts: [], origins: ['https://app.example'] };
  expect(judge(asked('https://app.example'), options).answer).toBeNull();
  for (const origin of ['https://app.example.evil', 'https://app', '*'])
    expect(judge(asked(origin), options).answer?.status).toBe(403);
});

test('the OWA server may be asked by pages of its whitelist, and by no others', () => {
  const options = { hosts: [], origins: ['*'], audiences: ['https://dash.example'] };
  const { answer, headers, bodyBytesMax } = judge(asked('https://dash.example', '/owa/x'), options);
  expect([answer, bodyBytesMax]).toEqual([null, null]);
  expect(headers['access-control-allow-origin']).toBe('https://dash.example');
  for (const origin of ['https://app.example', 'https://sub.dash.example', 'null', '*']) {
    const refused = judge(asked(origin, '/owa/verify'), options);
    expect([refused.answer, refused.headers]).toEqual([
      { status: 403, text: 'a page of this origin may not ask here: see --audience' },
      {},
    ]);
  }
  const preflight = { ...asked('https://dash.example', '/owa/x'), method: 'OPTIONS' };
  const wanted = { ...preflight.headers, 'access-control-request-method': 'PUT' };
  expect(judge({ ...preflight, headers: wanted }, options)).toMatchObject({
    answer: { status: 204 },
    headers: {
      'access-control-allow-headers': expect.stringMatching(/Authorization.*X-If-Modified-Since/),
      'access-control-expose-headers': expect.stringContaining('X-Precondition'),
    },
  });
});
