import { expect, it, test } from 'vitest';
import { nodeMachine } from '../platform.ts';
import { owaHello } from './owa-server.ts';

const URL_OF = 'https://o.example/owa/verify';

function asked(answer: () => Response | Promise<Response>) {
  const requests: string[] = [];
  const machine = nodeMachine({
    async fetch(request) {
      requests.push(`${request.method} ${request.url} ${await request.text()}`);
      return answer();
    },
  });
  return { requests, said: owaHello(machine, URL_OF, 'a~b&c') };
}

it('is asked for its own origin, and told no id of a client', async () => {
  const { requests, said } = asked(() => Response.json({ status: 'okay', email: 'u@x.test' }));
  expect(await said).toBe('u@x.test');
  const form = 'assertion=a~b%26c&audience=https%3A%2F%2Fo.example%2F';
  expect(requests).toEqual([`POST ${URL_OF} ${form}`]);
  expect(await asked(() => Response.json({ status: 'okay' })).said).toBe('');
});

test.each([
  ['its reason', { status: 'failure', reason: 'too late' }, 'unauthorized', 'verify: too late'],
  ['no reason', { status: 'failure' }, 'unauthorized', 'verify: refused'],
  ['something else', { error: 'x' }, 'badResponse', 'no server of Open Web Apps (status 200)'],
  ['no object', [], 'badResponse', 'no server of Open Web Apps'],
  ['a long text', { status: 'okay', x: 'x'.repeat(40_000) }, 'badResponse', 'no server of'],
])('a refusal is told: %s', async (_, json, code, message) => {
  await expect(asked(() => Response.json(json)).said).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
});

test.each([
  ['badResponse', () => new Response('<p>hello', { status: 404 })],
  ['unavailable', () => Response.json({ status: 'okay' }, { status: 503 })],
  ['unavailable', () => new Response('', { status: 429 })],
  ['offline', () => Promise.reject(new TypeError('fetch failed'))],
])('%s, where it is no answer', async (code, answer) => {
  await expect(asked(answer).said).rejects.toMatchObject({ code });
});
