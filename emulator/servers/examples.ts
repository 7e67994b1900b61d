// Lines for a shell that ask the servers from outside, with two well-known tools: PyFxA proves who
// the user is, HTTPie asks the Syncto API for two records. They are printed to be pasted.

import { clientState } from './sync-keys.ts';
import type { World } from './world.ts';

/** The versions of PyFxA that the lines were tried with: the first makes access tokens. */
export const TRIED_WITH = {
  token: ['PyFxA==0.9.0', 'httpie==3.2.4'],
  // The last that makes BrowserID assertions; setuptools has the pkg_resources that it loads.
  assertion: ['PyFxA==0.7.9', 'setuptools==80.9.0', 'httpie==3.2.4'],
} as const;

/** The lines, each for itself, with comments. */
export function exampleLines({ urls, account }: Pick<World, 'urls' | 'account'>): string[] {
  const { email, password, kB } = account;
  const state = clientState(kB);
  const records = `${urls.syncto}/v1/buckets/${state}/collections/history/records?_limit=2`;
  const ask = (...headers: string[]) =>
    ['http --ignore-stdin GET', quoted(records), ...headers.map((header) => `"${header}"`)].join(
      ' ',
    );
  const login = `Client(${text(urls.accounts)}).login(${text(email)}, ${text(password)})`;
  const tokenArguments = [
    ...[email, password].map(text),
    '["https://identity.mozilla.com/apps/oldsync"]',
    ...[urls.accounts, urls.accounts, CLIENT_ID].map(text),
  ].join(', ');
  return [
    `# pip install ${TRIED_WITH.token.join(' ')}`,
    python('TOKEN', `from fxa.tools.bearer import *; print(get_bearer_token(${tokenArguments}))`),
    ask('Authorization:Bearer $TOKEN'),
    `# pip install ${TRIED_WITH.assertion.join(' ')}`,
    python(
      'ASSERTION',
      `from fxa.core import *; print(${login}.get_identity_assertion(${text(`${urls.token}/`)}))`,
    ),
    ask('Authorization:BrowserID $ASSERTION', `X-Client-State:${state}`),
  ];
}

/** PyFxA's own default. */
const CLIENT_ID = '5882386c6d801776';

function python(variable: string, program: string): string {
  return `${variable}=$(python3 -c ${quoted(program)})`;
}

/** A literal of Python. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** One word of a POSIX shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
