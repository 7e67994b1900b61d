// The login page's headers, and its script before a window that is not one; in a real browser it is
// tried by `npm run test:firefox`.

import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { startWorld } from '../testing.ts';
import { askVerify } from './testing.ts';

const DASHBOARD = 'https://dash.example';

async function pages() {
  const world = startWorld({ owa: { audiences: [DASHBOARD] } });
  const get = (path: string, method = 'GET') =>
    world.fetch(new Request(`${world.urls.owa}/${path}`, { method }));
  return { world, get };
}

test('only pages of the whitelist may have it in a frame, and it runs one script', async () => {
  const { world, get } = await pages();
  const answer = await get('login');
  const policy = new Map(
    (answer.headers.get('content-security-policy') ?? '').split('; ').map((part) => {
      const [name = '', ...values] = part.split(' ');
      return [name, values.join(' ')];
    }),
  );
  expect(policy.get('frame-ancestors')).toBe(`https://owa.test ${DASHBOARD}`);
  expect(policy.get('default-src')).toBe("'none'");
  expect(policy.get('script-src')).toBe(`${world.urls.owa}/login.js`);
  expect(policy.get('connect-src')).toBe('https://accounts.test');
  const { headers } = answer;
  expect([headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
    ...['text/html; charset=utf-8', 'nosniff'],
  ]);
  expect(await answer.text()).not.toMatch(/<script(?! src=)| on\w+=/);
  expect((await get('login.js')).headers.get('content-type')).toMatch(/^text\/javascript/);
  expect([(await get('login', 'POST')).status, (await get('login', 'HEAD')).status]).toEqual([
    405, 200,
  ]);
});

interface Posted {
  readonly message: {
    readonly type: string;
    readonly assertion: string;
    readonly audience: string;
  };
  readonly to: string;
}

/** The script, in a frame of a page that is handed what is posted to any origin. */
async function running(own?: (got: (assertion: string) => void) => void) {
  const { world, get } = await pages();
  const config = /data-config="([^"]*)"/.exec(await (await get('login')).text())?.[1] ?? '';
  const posted: Posted[] = [];
  let submit: (event: object) => unknown = () => undefined;
  const said = { textContent: '' };
  const field = (value: string) => ({ value, focus: () => undefined });
  const form = {
    ...{ fields: { hidden: true }, button: { disabled: false } },
    ...{ email: field(''), password: field('') },
    addEventListener: (_: string, listener: typeof submit) => {
      submit = listener;
    },
  };
  const window = {
    opener: null,
    parent: {
      postMessage: (message: Posted['message'], to: string) => posted.push({ message, to }),
    },
  };
  const document = {
    body: {
      dataset: { config: config.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)) },
    },
    getElementById: (id: string) => (id === 'said' ? said : form),
  };
  const fetch = (url: string, init: RequestInit) => world.fetch(new Request(url, init));
  const navigator = own === undefined ? {} : { id: { getVerifiedEmail: own } };
  const engine = { TextEncoder, TextDecoder, Uint8Array, btoa, atob, crypto };
  const around = { ...engine, window, document, navigator, fetch };
  runInNewContext(await (await get('login.js')).text(), around);
  const press = async () => submit({ preventDefault: () => undefined, target: form });
  return { world, posted, said, form, press };
}

describe('the button', () => {
  test('asks the browser’s own account manager, and posts to the whitelist alone', async () => {
    const { posted, press } = await running((got) => got('an-assertion'));
    await press();
    expect(posted.map(({ to }) => to)).toEqual(['https://owa.test', DASHBOARD]);
    for (const { message } of posted)
      expect(message).toEqual({
        ...{ type: 'owa-login', assertion: 'an-assertion', audience: 'https://owa.test' },
      });
  });

  test('else shows a form, and posts an assertion that the server takes', async () => {
    const { world, posted, said, form, press } = await running();
    await press();
    expect([form.fields.hidden, posted]).toEqual([false, []]);
    form.email.value = world.account.email;
    form.password.value = 'wrong';
    await press();
    expect([said.textContent, posted]).toEqual(['Incorrect password', []]);
    form.password.value = world.account.password;
    await press();
    expect([said.textContent, form.password.value]).toEqual(['Signed in.', '']);
    const { assertion, audience } = posted[0]?.message ?? {};
    const { json } = await askVerify(world, { assertion, audience });
    expect(json).toMatchObject({ status: 'okay', email: world.account.email });
  });
});
