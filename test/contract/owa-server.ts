// What every OWA server does, by the number of the list of behaviours that its specification has:
// one suite over HTTP, run on each storage. Here: who is let in, and what is answered about a
// document.

import { describe, expect, test } from 'vitest';
import { askVerify } from '../../emulator/servers/owa/testing.ts';
import { app, begin, filled, type StartOwa, timesOf, tombstone } from './owa-asking.ts';
import { owaDocuments } from './owa-documents.ts';

const A = 'https://a.example';
const B = 'http://b.example:8080';

export function owaServerContract(name: string, start: StartOwa): void {
  describe(name, () => {
    logins(start);
    reading(start);
    writing(start);
    owaDocuments(start);
  });
}

function logins(start: StartOwa): void {
  test('O33: who is let in gets status, resource, auth and email', async () => {
    const world = await start({});
    const { status, json, headers } = await askVerify(world);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(Object.keys(json)).toEqual(['status', 'resource', 'auth', 'email', 'clients']);
    expect(json).toMatchObject({ status: 'okay', email: 'user@example.test' });
    expect(json.resource).toMatch(new RegExp(`^${world.urls.owa}/apps/[\\w-]{22}$`));
    const sealed = Buffer.from(json.auth.split(' ')[1], 'base64url').toString('latin1');
    expect(sealed).not.toContain(json.resource.split('/').at(-1));
  });

  test('O31: an audience that is not on the whitelist is a failure with a reason', async () => {
    const world = await start({ audiences: ['https://dash.example'] });
    const own = new URL(world.urls.owa);
    for (const audience of [
      ...['https://other.example', `https://evil-dash.example`, 'https://dash.example.evil.tld'],
      ...['https://sub.dash.example', 'https://dash.example:444', 'http://dash.example'],
      ...['https://dash.example/path', 'https://*.example', '*', 'dash', 'null'],
      ...['https://user@dash.example', 'https://dash.example\n', `${own.protocol}//`],
    ]) {
      const { status, json } = await askVerify(world, { audience });
      const reason = 'audience is not on the whitelist';
      expect([audience, status, json]).toEqual([audience, 200, { status: 'failure', reason }]);
    }
  });

  test('O31: an origin of the whitelist may be written in another way', async () => {
    const world = await start({ audiences: ['https://dash.example'] });
    for (const audience of [
      ...['https://dash.example', 'https://dash.example/', 'https://dash.example:443'],
      ...['HTTPS://DASH.example', 'dash.example', 'dash.example/'],
      ...[new URL(world.urls.owa).origin, new URL(world.urls.owa).host],
    ]) {
      const { json } = await askVerify(world, { audience });
      expect([audience, json.status]).toEqual([audience, 'okay']);
    }
  });

  test('O32: origins of extensions are refused, and nobody can whitelist one', async () => {
    const world = await start({});
    for (const audience of ['chrome://browser', 'moz-extension://abc', 'resource://gre', 'file://'])
      expect((await askVerify(world, { audience })).json.status).toBe('failure');
    await expect(start({ audiences: ['moz-extension://abc'] })).rejects.toThrow(RangeError);
  });

  test('O31: the assertion must be for the audience, well signed, and in time', async () => {
    const world = await start({ audiences: ['https://dash.example'] });
    const own = new URL(world.urls.owa).origin;
    const forDash = await world.device.assertion('https://dash.example', false);
    const reasonOf = async (assertion: string, audience = own) =>
      (await askVerify(world, { assertion, audience })).json.reason;
    expect(await reasonOf(forDash)).toBe('the assertion is for another audience');
    expect(await reasonOf(forDash, 'dash.example')).toBe(undefined);
    const good = await world.device.assertion(own, false);
    const [certificate = '', assertion = ''] = good.split('~');
    expect(await reasonOf(`${certificate}~${assertion.slice(0, -8)}AAAAAAAA`)).toBe(
      'the assertion is signed by somebody else',
    );
    for (const bad of ['', 'x', 'a.b.c~a.b.c', certificate, `${good}~${assertion}`])
      expect(await reasonOf(bad)).toBe('the assertion is none');
    world.clock.nowMs += 86_400_000;
    expect(await reasonOf(good)).toBe('the assertion has expired');
  });

  test('a failure is 400 where that was asked for', async () => {
    const world = await start({ failureStatus: 400 });
    const answer = await askVerify(world, { audience: 'https://other.example' });
    expect([answer.status, answer.json.status]).toEqual([400, 'failure']);
    expect((await askVerify(world)).status).toBe(200);
  });

  test('a field that is missing or there twice is 400, others are not looked at', async () => {
    const world = await start({});
    const own = new URL(world.urls.owa).origin;
    const assertion = encodeURIComponent(await world.device.assertion(own, false));
    const ask = async (body: string, path = '/verify') => {
      const init = { method: 'POST', body };
      const response = await world.fetch(new Request(world.urls.owa + path, init));
      return { status: response.status, json: JSON.parse(await response.text()) };
    };
    const whole = `assertion=${assertion}&audience=${encodeURIComponent(own)}`;
    for (const body of [
      ...['', 'assertion=x', `audience=${own}`, `${whole}&audience=${own}`, `${whole}&assertion=`],
      ...[`${whole}&client_id=x`, '{"assertion":"x","audience":"y"}'],
    ])
      expect([body, await ask(body)]).toEqual([
        body,
        { status: 400, json: { status: 'failure', reason: expect.any(String) } },
      ]);
    expect((await ask(`${whole}&other=1&other=2`)).json.status).toBe('okay');
    expect((await ask(whole, '/verify?service=owa-sync')).json.status).toBe('okay');
    expect((await ask(whole, '/verify?service=other')).status).toBe(404);
    expect((await ask(`${whole}&x=${'y'.repeat(70_000)}`)).status).toBe(413);
  });

  test('the path of the login is a setting', async () => {
    const world = await start({ verifyPath: '/sync/verify' });
    expect((await askVerify(world)).status).toBe(404);
    const init = { method: 'POST', body: '' };
    const answer = await world.fetch(new Request(`${world.urls.owa}/sync/verify`, init));
    expect(answer.status).toBe(400);
  });

  test('clients that name themselves are counted for 30 days', async () => {
    const world = await start({});
    const id = (n: number) => `0d1ce000-0000-4000-8000-00000000000${n}`;
    const clients = async (client_id?: string) =>
      (await askVerify(world, { client_id })).json.clients;
    expect(await clients()).toBe(0);
    expect(await clients(id(1))).toBe(1);
    expect(await clients(id(1).toUpperCase())).toBe(1);
    world.clock.nowMs += 20 * 86_400_000;
    expect(await clients(id(2))).toBe(2);
    world.clock.nowMs += 11 * 86_400_000;
    expect(await clients()).toBe(1);
    expect(await clients(id(1))).toBe(2);
    // Its clock was wrong meanwhile.
    const { nowMs } = world.clock;
    world.clock.nowMs += 40 * 86_400_000;
    expect(await clients(id(3))).toBe(1);
    world.clock.nowMs = nowMs;
    expect(await clients(id(4))).toBe(2);
    world.clock.nowMs += 31 * 86_400_000;
    expect(await clients(id(4))).toBe(1);
  });
}

function reading(start: StartOwa): void {
  test('nothing was stored yet: 200, an empty document, last modified at 0', async () => {
    const { user } = await begin(start);
    const answer = await user.ask('GET');
    expect([answer.status, answer.json, timesOf(answer).modified]).toEqual([200, {}, '0']);
  });

  test('O38: nothing new is 204, Content-Length 0, both times, and no body', async () => {
    const { user } = await filled(start, { [A]: app(1) });
    const { modified } = timesOf(await user.ask('GET'));
    const since = { 'X-If-Modified-Since': modified ?? '' };
    const answer = await user.ask('GET', undefined, since);
    expect([answer.status, answer.text, answer.headers.get('content-length')]).toEqual([
      204,
      '',
      '0',
    ]);
    expect(timesOf(answer)).toEqual({ now: expect.stringMatching(/^\d+\.\d{3}$/), modified });
    const ahead = await user.ask('GET', undefined, { 'X-If-Modified-Since': '9999999999' });
    expect(ahead.status).toBe(204);
  });

  test('O39: something new is 200 with both times and the whole document', async () => {
    const document = { [A]: app(1), [B]: tombstone(2), odd: { last_modified: 3 } };
    const { user } = await filled(start, document);
    const { modified } = timesOf(await user.ask('GET'));
    const since = { 'X-If-Modified-Since': (Number(modified) - 0.001).toFixed(3) };
    const answer = await user.ask('GET', undefined, since);
    expect([answer.status, answer.json]).toEqual([200, document]);
    expect(timesOf(answer)).toEqual({ now: expect.any(String), modified });
  });

  test('O40: it is never 304, whatever a browser’s cache asks', async () => {
    const { user } = await filled(start, { [A]: app(1) });
    const later = new Date(Date.now() + 1e11).toUTCString();
    const headers = { 'If-Modified-Since': later, 'If-None-Match': '*' };
    const answer = await user.ask('GET', undefined, headers);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([
      200,
      expect.stringContaining('no-store'),
    ]);
  });

  test.each(['', 'yesterday', '-1', '1e9', '1,2', 'NaN', '0x10', '1.2.3', '"1'])(
    'a time that is %j is 400 and names its header',
    async (time) => {
      const { user } = await begin(start);
      for (const [method, name] of [
        ['GET', 'x-if-modified-since'],
        ['POST', 'x-if-unmodified-since'],
      ] as const) {
        const answer = await user.ask(method, method === 'POST' ? {} : undefined, { [name]: time });
        expect([answer.status, answer.json]).toEqual([400, { error: 'bad-header', field: name }]);
      }
    },
  );

  test('a time may stand in quotes', async () => {
    const { user } = await begin(start);
    expect((await user.ask('GET', undefined, { 'X-If-Modified-Since': '"5.5"' })).status).toBe(204);
  });

  test('O45: without a good auth it is 401, without WWW-Authenticate', async () => {
    const { world, user } = await filled(start, { [A]: app(1) });
    const torn = `${user.auth.slice(0, -2)}AA`;
    for (const Authorization of ['', 'OWA', 'OWA x', 'Basic eDp5', torn, user.auth.slice(4)])
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await user.ask(method, method === 'POST' ? {} : undefined, {
          Authorization,
        });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, null]);
      }
    const elsewhere = user.resource.replace(/[\w-]{22}$/, 'x'.repeat(22));
    const headers = { Authorization: user.auth };
    expect((await world.fetch(new Request(elsewhere, { headers }))).status).toBe(401);
    expect(await user.document()).toEqual({ [A]: app(1) });
  });

  test('an auth ends, and in its second half another one comes for it', async () => {
    const { world, user } = await begin(start, { authSeconds: 1_000, loginSeconds: 2_200 });
    const renewal = (answer: { headers: Headers }) => answer.headers.get('x-authorization-update');
    expect(renewal(await user.ask('GET'))).toBe(null);
    world.clock.nowMs += 600_000;
    const Authorization = renewal(await user.ask('GET')) ?? '';
    world.clock.nowMs += 450_000;
    expect((await user.ask('GET')).status).toBe(401);
    const answer = await user.ask('GET', undefined, { Authorization });
    expect([answer.status, renewal(answer)]).toEqual([200, null]);
    world.clock.nowMs += 400_000;
    const last = renewal(await user.ask('GET', undefined, { Authorization })) ?? '';
    world.clock.nowMs += 600_000;
    const lastAnswer = await user.ask('GET', undefined, { Authorization: last });
    expect([lastAnswer.status, renewal(lastAnswer)]).toEqual([200, null]);
    world.clock.nowMs += 151_000;
    expect((await user.ask('GET', undefined, { Authorization: last })).status).toBe(401);
  });

  test('HEAD is GET without the body, OPTIONS says what there is, the rest is 405', async () => {
    const { world, user } = await filled(start, { [A]: app(1) });
    const head = await user.ask('HEAD');
    expect([head.status, head.text, timesOf(head).modified]).toEqual([
      200,
      '',
      timesOf(await user.ask('GET')).modified,
    ]);
    const methods = 'GET, HEAD, POST, PUT, OPTIONS';
    const options = await user.ask('OPTIONS');
    expect([options.status, options.headers.get('allow')]).toEqual([204, methods]);
    for (const method of ['DELETE', 'PATCH']) {
      const answer = await user.ask(method);
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, methods]);
    }
    const login = (method: string) =>
      world.fetch(new Request(`${world.urls.owa}/verify`, { method }));
    expect([(await login('GET')).status, (await login('OPTIONS')).status]).toEqual([405, 204]);
    for (const path of ['', '/', '/apps', '/apps/', '/other', '/verify/x'])
      expect([path, (await world.fetch(new Request(world.urls.owa + path))).status]).toEqual([
        path,
        404,
      ]);
  });

  test('O48: overload is 503 with X-Backoff and Retry-After, at the login too', async () => {
    let isDown = false;
    const health = () => ({ backoffSeconds: 9, ...(isDown ? { refuse: 503 as const } : {}) });
    const { world, user } = await begin(start, { health });
    const said = ({ status, headers }: { status: number; headers: Headers }) => [
      status,
      headers.get('x-backoff'),
      headers.get('retry-after'),
    ];
    expect(said(await user.ask('GET'))).toEqual([200, '9', null]);
    isDown = true;
    const answers = [await user.ask('GET'), await user.ask('POST', {}), await askVerify(world)];
    for (const answer of answers) expect(said(answer)).toEqual([503, '9', '9']);
  });
}

function writing(start: StartOwa): void {
  test.each(['POST', 'PUT'])(
    'O43: %s stores a document and answers with its times',
    async (method) => {
      const { user } = await begin(start);
      const answer = await user.ask(method, { [A]: app(1) });
      const { modified } = timesOf(answer);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(timesOf(await user.ask('GET')).modified).toBe(modified);
      expect(await user.document()).toEqual({ [A]: app(1) });
    },
  );

  test.each(['application/json', 'text/plain', 'image/png', 'a/b; charset=latin1', ''])(
    'O44: a Content-Type of %j is as good as any other',
    async (type) => {
      const { user } = await begin(start);
      const answer = await user.ask('POST', { [A]: app(1) }, { 'Content-Type': type });
      expect(answer.status).toBe(204);
      expect(await user.document()).toEqual({ [A]: app(1) });
    },
  );

  test('O60: times only grow, with fractions of a second, whatever the clock does', async () => {
    const { world, user } = await begin(start);
    const times: number[] = [0];
    for (const offMs of [0, 0, 1, -50_000, 0]) {
      world.clock.nowMs += offMs;
      await user.post({ [A]: app(times.length) });
      times.push(Number(timesOf(await user.ask('GET')).modified));
    }
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(times.at(-1)).toBeCloseTo((times[1] ?? 0) + 0.004, 3);
    for (const [at, time] of times.entries()) {
      const headers = { 'X-If-Modified-Since': String(time) };
      const isLast = at === times.length - 1;
      expect((await user.ask('GET', undefined, headers)).status).toBe(isLast ? 204 : 200);
    }
  });

  test('what changes nothing does not count as a change', async () => {
    const { world, user } = await filled(start, { [A]: app(1) });
    const { modified } = timesOf(await user.ask('GET'));
    world.clock.nowMs += 1_000;
    for (const document of [{}, { [A]: app(1) }, { [A]: app(0.5) }])
      expect(timesOf(await user.ask('POST', document)).modified).toBe(modified);
  });

  test('a document that has changed since is 412 with its time, and nothing happens', async () => {
    const { user } = await filled(start, { [A]: app(1) });
    const { modified } = timesOf(await user.ask('GET'));
    const post = (since: string, document: object) =>
      user.ask('POST', document, { 'X-If-Unmodified-Since': since });
    const first = await post(modified ?? '', { [B]: app(1) });
    expect([first.status, first.headers.get('x-precondition')]).toEqual([204, 'checked']);
    const late = await post(modified ?? '', { [A]: app(9) });
    expect([late.status, late.json, late.headers.get('x-precondition')]).toEqual([
      ...[412, { error: 'precondition-failed' }, 'checked'],
    ]);
    expect(timesOf(late).modified).toBe(timesOf(first).modified);
    expect(await user.document()).toEqual({ [A]: app(1), [B]: app(1) });
    expect((await user.ask('POST', {})).headers.get('x-precondition')).toBe(null);
  });

  test('what a document does not have is unknown, and stays', async () => {
    const { user } = await filled(start, { [A]: app(1), [B]: tombstone(2) });
    await user.post({ 'https://c.example': app(3) });
    expect(Object.keys(await user.document()).sort()).toEqual([B, A, 'https://c.example'].sort());
  });

  test('a document takes the place of the one before where that was asked for', async () => {
    const { user } = await filled(start, { [A]: app(5), [B]: tombstone(2) }, { replaces: true });
    await user.post({ [A]: app(1), 'https://c.example': app(3) });
    const document = { [A]: app(1), 'https://c.example': app(3) };
    expect(await user.document()).toEqual(document);
    const { modified } = timesOf(await user.ask('GET'));
    expect(timesOf(await user.ask('POST', document)).modified).toBe(modified);
    await user.post({});
    expect(await user.document()).toEqual({});
  });
}
