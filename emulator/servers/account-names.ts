// By what a request to the accounts server names its account, before anything of it is believed:
// whoever keeps accounts apart reads no more than what is named.

import { readHawk } from './hawk.ts';
import { authorization, parseObject } from './http.ts';
import { readJws } from './jws.ts';
import { BEARER_PREFIX } from './onepw.ts';

export interface Names {
  readonly email: string | null;
  readonly uid: string | null;
  /** Ids of tokens, refresh tokens and codes, or what may be some. */
  readonly secrets: readonly string[];
  /** Of an access token. */
  readonly accessTokenId: string | null;
  /** It is about all that is signed in to the account, not only about what is named. */
  readonly isAboutAll: boolean;
}

/** Null: it is about no account. `path`: below the server's URL. */
export function namesIn(request: Request, path: string, text: string): Names | null {
  const body = parseObject(text) ?? {};
  const query = Object.fromEntries(new URL(request.url).searchParams);
  const route = `${request.method} ${path}`;
  const isAboutAll = ABOUT_ALL.includes(route);
  const named = NAMED.get(route)?.(request, { ...query, ...body }) ?? shown(request);
  if (named === null) return null;
  return { email: null, uid: null, secrets: [], accessTokenId: null, ...named, isAboutAll };
}

type Named = Partial<Names>;
type Said = Readonly<Record<string, unknown>>;

const ABOUT_ALL: readonly string[] = [
  'POST v1/account/destroy',
  'POST v1/password/change/finish',
  'POST v1/account/device/destroy',
  'GET v1/account/devices',
  'GET v1/account/attached_clients',
  'POST v1/account/attached_client/destroy',
];

/** Where it is not by the header `Authorization`. Null: by that. */
const NAMED: ReadonlyMap<string, (request: Request, said: Said) => Named | null> = new Map([
  ...['account/create', 'account/login', 'account/credentials/status'].map(
    (path) => [`POST v1/${path}`, (_request: Request, said: Said) => byEmail(said)] as const,
  ),
  ...['GET', 'POST'].map(
    (method) =>
      [
        `${method} v1/account/status`,
        (_request: Request, said: Said) =>
          said.uid === undefined ? byEmail(said) : { uid: textOf(said.uid) },
      ] as const,
  ),
  ...['oauth/token', 'token'].map(
    (path) => [`POST v1/${path}`, (_request: Request, said: Said) => byGrant(said)] as const,
  ),
  ...['oauth/destroy', 'destroy', 'verify', 'introspect'].map(
    (path) =>
      [`POST v1/${path}`, (_request: Request, said: Said) => byToken(textOf(said.token))] as const,
  ),
  ['GET v1/profile', (request) => byToken(authorization(request).value)],
]);

function byEmail({ email }: Said): Named {
  return { email: textOf(email) };
}

function byGrant(said: Said): Named | null {
  const { grant_type = 'authorization_code', code, refresh_token, subject_token } = said;
  if (grant_type === 'authorization_code') return { secrets: [textOf(code)] };
  if (grant_type === 'refresh_token') return { secrets: [textOf(refresh_token)] };
  return subject_token === undefined ? null : { secrets: [textOf(subject_token)] };
}

/** An access token, or a refresh token. */
function byToken(token: string): Named {
  const payload = readJws(token)?.payload;
  if (payload === undefined) return { secrets: [token] };
  return { uid: textOf(payload.sub), accessTokenId: String(payload.jti) };
}

/** What the header shows or is signed with; null: there is none. */
function shown(request: Request): Named | null {
  const { scheme, value } = authorization(request);
  if (scheme === '') return null;
  const hawkId = scheme === 'hawk' ? readHawk(value).get('id') : undefined;
  const bare = Object.values(BEARER_PREFIX).map((prefix) => value.replace(prefix, ''));
  return { secrets: hawkId === undefined ? [...new Set([value, ...bare])] : [hawkId] };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
