// An accounts server in the manner of Firefox Accounts: where its parts are, and one exchange of
// JSON with it. Every answer is bounded and checked; a refusal becomes a SyncError in the server's
// own words. Nothing secret goes into a URL or an error, and no redirect is followed.
// Source: Firefox Accounts, "Integrating with FxA" and the API of its auth server.

import type { Header, NetworkResponse, Platform } from '../../platform/ports.ts';
import { badResponse, fromPort, SyncError, type SyncErrorCode } from '../errors.ts';
import { EXCHANGE_LIMITS } from '../limits.ts';
import { basicAuthorization } from '../wire/basic.ts';
import { member, parseDocument, readDocument } from '../wire/document.ts';
import { waitHeader } from '../wire/headers.ts';
import { shownWords } from '../wire/server-words.ts';

/** What a sign-in needs of the device. */
export type SignInDevice = Pick<Platform, 'network' | 'clock' | 'entropy'>;

/** Absolute URLs without a slash at the end. */
export interface AccountsServer {
  /** What a person opens: `/authorization` is there. */
  readonly pageUrl: string;
  /** What programs talk to: `/v1/oauth/token` is there. */
  readonly apiUrl: string;
}

interface Answered {
  readonly status: number;
  /** The JSON value; null for a refusal that is none. */
  readonly body: unknown;
  /** How long the server asks to be left alone; 0: it does not. */
  readonly waitMs: number;
}

/**
 * Asks an accounts server where its parts are. `pageUrl`: without a slash at the end.
 * Errors: `badResponse` (also when an encrypted server names one that is not), `unavailable`, those
 * of the network.
 */
export async function discoverAccounts(
  device: SignInDevice,
  pageUrl: string,
): Promise<AccountsServer> {
  const url = `${pageUrl}/.well-known/fxa-client-configuration`;
  const body = accepted(await exchange(device, url, {}), 'configuration', 'badResponse');
  const apiUrl = member(body, 'auth_server_base_url');
  if (typeof apiUrl !== 'string' || !BASE_URL.test(apiUrl)) {
    throw badResponse('configuration: auth_server_base_url is no URL');
  }
  if (pageUrl.startsWith('https:') && !apiUrl.startsWith('https:')) {
    throw badResponse('configuration: auth_server_base_url is not encrypted');
  }
  return { pageUrl, apiUrl: apiUrl.replace(/\/+$/, '') };
}

interface Question {
  /** Sent by POST, or as the method says; without it the question is a GET. */
  readonly json?: object;
  readonly method?: 'POST' | 'PUT';
  /** For the Authorization header. */
  readonly bearer?: string | undefined;
  /** A name and a password for it, joined by a colon. */
  readonly basic?: string | undefined;
}

/** Any status is an answer. Errors: `badResponse`, those of the network. */
export async function exchange(
  device: SignInDevice,
  url: string,
  { json, method = 'POST', bearer, basic }: Question,
): Promise<Answered> {
  const headers: Header[] = [['Accept', 'application/json']];
  if (json !== undefined) headers.push(['Content-Type', 'application/json']);
  if (bearer !== undefined) headers.push(['Authorization', `Bearer ${bearer}`]);
  if (basic !== undefined) headers.push(basicAuthorization(basic));
  const shared = { url, headers, ...EXCHANGE_LIMITS };
  try {
    const response = await device.network.request(
      json === undefined
        ? { ...shared, method: 'GET' }
        : { ...shared, method, body: JSON.stringify(json) },
    );
    const waitMs = waitHeader(response.headers, 'retry-after', device.clock.nowMs());
    return { status: response.status, body: await bodyOf(response), waitMs };
  } catch (error) {
    throw fromPort(error);
  }
}

/**
 * The body of a 200; anything else is thrown. `refusedCode` is for a server that understood and
 * says no.
 */
export function accepted(answered: Answered, what: string, refusedCode: SyncErrorCode): unknown {
  const { status, body, waitMs } = answered;
  if (status === 200) return body;
  const words = shownWords(member(body, 'message') ?? member(body, 'error'));
  const message = `${what}: the accounts server answered with status ${status}`;
  throw new SyncError(
    codeOf(answered, refusedCode),
    words === '' ? message : `${message} (${words})`,
    { status, ...(waitMs === 0 ? {} : { retryAfterMs: waitMs }) },
  );
}

/** A page of the accounts server, its configuration and every answer of its API are shorter. */
const ANSWER_CHARS_MAX = 32_768;
const BASE_URL = /^https?:\/\/([\w.-]+|\[[\da-f:.]+\])(:\d+)?(\/[\w./~-]*)?$/i;
/** `errno`: the account, or this session, is not confirmed yet. */
const UNVERIFIED: readonly unknown[] = [104, 138];

function codeOf({ status, body }: Answered, refusedCode: SyncErrorCode): SyncErrorCode {
  if (status === 429) return 'backoff';
  if (status >= 500) return 'unavailable';
  const errno = member(body, 'errno');
  if (UNVERIFIED.includes(errno)) return 'unverified';
  // A proxy or a hotel's network refuses as well, but not in the language of an accounts server.
  const isItsOwn = errno !== undefined || member(body, 'error') !== undefined;
  return isItsOwn && (status === 400 || status === 401 || status === 403)
    ? refusedCode
    : 'badResponse';
}

async function bodyOf(response: NetworkResponse): Promise<unknown> {
  try {
    return parseDocument(await readDocument(() => response.read(), ANSWER_CHARS_MAX));
  } catch (error) {
    response.cancel();
    if (response.status === 200 || !(error instanceof SyncError)) throw error;
    return null;
  }
}
