// The login: an assertion is verified, and the server says where the user's document is and with
// which word it is asked for. That word is the server's own: it is neither read nor shown.

import { isObject, jsonOf } from '../../../crypto/engine.ts';
import { badResponse, SyncError } from '../../errors.ts';
import { DOCUMENT_CHARS_MAX } from '../../limits.ts';
import { member, readDocument } from '../../wire/document.ts';
import { type Answer, createHttp } from '../../wire/http.ts';
import { deviceId } from '../device-id.ts';
import type { RemoteOptions } from '../remote.ts';
import { WORD_CHARS_MAX } from './limits.ts';
import { NOTED, outage, unexpected } from './statuses.ts';

export interface Verified {
  /** Where the document is. */
  readonly resource: string;
  /** The whole value of `Authorization`. */
  readonly auth: string;
  /** Empty: the server does not say. */
  readonly email: string;
  /** Devices of the account that the server has seen lately; 0: it does not say. */
  readonly clients: number;
}

/**
 * `isFresh`: with a new assertion; a kept one that is refused is followed by one, too. Errors:
 * `unauthorized`, `unavailable`, `badResponse`; those of HTTP and of the account manager.
 */
export async function verify(options: RemoteOptions, isFresh: boolean): Promise<Verified> {
  const { status, said } = await asked(options, isFresh);
  const isRefused = isObject(said) && typeof member(said, 'status') === 'string';
  if (!isRefused || isOkay(said)) return verifiedIn(options, said);
  // Of a status that says so, http.ts has tried again.
  if (isFresh || status === 401) throw refusal(said, status);
  const again = await asked(options, true);
  if (isOkay(again.said)) return verifiedIn(options, again.said);
  throw refusal(again.said, again.status);
}

function isOkay(said: unknown): boolean {
  return /^ok(ay)?$/.test(`${member(said, 'status')}`);
}

async function asked(
  options: RemoteOptions,
  isFresh: boolean,
): Promise<{ readonly status: number; readonly said: unknown }> {
  const { config, platform } = options;
  const { serverUrl, audience } = config.remote;
  let assertion = '';
  const http = createHttp({
    ...options,
    noted: NOTED,
    async authorize(again) {
      assertion = await platform.identity.assertion(audience, again || isFresh);
      return [];
    },
    judge: outage,
  });
  const answer = await http.send({
    ...{ method: 'POST', url: serverUrl, headers: [FORM] },
    // Of the attempt: a refused assertion is followed by a fresh one.
    get body() {
      const fields = { assertion, audience, client_id: deviceId(options, 'owa') };
      return Object.entries(fields).map(encoded).join('&');
    },
  });
  return { status: answer.status, said: await saidIn(answer) };
}

const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const;

const encoded = ([name, value]: readonly [string, string]): string =>
  `${name}=${encodeURIComponent(value)}`;

/** What is said counts under any status; where nothing is, the status does. */
async function saidIn(answer: Answer): Promise<unknown> {
  const { status } = answer;
  const text = await readDocument(() => answer.read(), DOCUMENT_CHARS_MAX);
  const said = jsonOf(text);
  const isSaid = typeof member(said, 'status') === 'string';
  if (isSaid && (status < 300 || !isOkay(said))) return said;
  if (status === 401 || status === 403) throw refusal(null, status);
  throw unexpected(answer, 'verify');
}

function refusal(said: unknown, status: number): SyncError {
  const reason = `${member(said, 'reason') ?? ''}`;
  const isShort = reason.length <= REASON_CHARS_MAX && REASON.test(reason);
  const why = isShort ? reason : 'the assertion is refused';
  return new SyncError('unauthorized', `verify: ${why}`, { status });
}

/** A sentence: nothing that could be an assertion, or a part of one. */
const REASON = /^[\w'":,()-]{1,24}( [\w'":,()-]{1,24})*\.?$/;
const REASON_CHARS_MAX = 100;

function verifiedIn({ config }: RemoteOptions, said: unknown): Verified {
  const [place, auth] = [
    member(said, 'resource') ?? member(said, 'collection_url'),
    member(said, 'auth') ?? member(said, 'http_authorization'),
  ];
  if (typeof place !== 'string') throw badResponse('verify: no resource');
  if (typeof auth !== 'string' || !HEADER_VALUE.test(auth)) {
    throw badResponse(`verify: auth is not 1 to ${WORD_CHARS_MAX} characters of a header`);
  }
  const [email, clients] = [member(said, 'email'), member(said, 'clients')];
  return {
    ...{ resource: placeOf(place, config.remote.serverUrl), auth },
    email: typeof email === 'string' ? email : '',
    clients: Number.isSafeInteger(clients) ? Math.max(0, Number(clients)) : 0,
  };
}

/** What a header may say. */
export const HEADER_VALUE = new RegExp(`^[\\t\\x20-\\x7e]{1,${WORD_CHARS_MAX}}$`);

/**
 * An address that the server gives, which may be relative to that of the login. Errors:
 * `badResponse` for what is none, and for one that leads from an encrypted way to an open one.
 */
export function placeOf(said: string, verifyUrl: string): string {
  const url = PLACE.test(said) ? resolved(said, verifyUrl) : '';
  if (!HTTP_URL.test(url)) throw badResponse('verify: resource is no address of HTTP');
  if (!/^https:/i.test(url) && /^https:/i.test(verifyUrl)) {
    throw badResponse('verify: resource is not encrypted, and verify is');
  }
  return url;
}

/** Printable ASCII without quotes, angle brackets and a fragment. */
const PLACE = new RegExp(`^[!$-;=?-~]{1,${WORD_CHARS_MAX}}$`);
/** Nothing of a user before the host. */
const HTTP_URL = /^https?:\/\/[\w.:[\]-]+([/?].*)?$/i;

function resolved(said: string, base: string): string {
  const [, scheme = '', host = '', path = ''] = /^(https?:)\/\/([^/?#]+)([^?#]*)/i.exec(base) ?? [];
  if (/^[a-z][a-z\d+.-]*:/i.test(said)) return said;
  if (said.startsWith('//')) return scheme + said;
  const folder = said.startsWith('/') ? '' : path.slice(0, path.lastIndexOf('/') + 1) || '/';
  return `${scheme}//${host}${folder}${said}`;
}
