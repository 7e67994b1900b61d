// The token server: changes the device's access token into credentials for the user's storage node.
// A refusal comes back as a SyncError that says whose turn it is, with the server's own words.
// It keeps nothing: who asked holds what was answered.
// Source: Tokenserver API 1.0 (mozilla-services.readthedocs.io).

import { decodeHex, encodeBase64 } from '../../../crypto/bytes.ts';
import type { Header } from '../../../platform/ports.ts';
import type { RemoteConfig } from '../../config.ts';
import { badResponse, SyncError, type SyncErrorCode } from '../../errors.ts';
import { member, parseDocument, readDocument } from '../../wire/document.ts';
import { headerMs } from '../../wire/headers.ts';
import { type Answer, createHttp } from '../../wire/http.ts';
import { shownWords } from '../../wire/server-words.ts';
import { NOTED, unexpected } from './statuses.ts';
import type { StorageOptions } from './storage.ts';

/**
 * `serverUrl`: the token server's (`https://token.services.mozilla.com`, or any path on a server of
 * one's own).
 */
interface Sync15Config extends RemoteConfig {
  /**
   * How long storage credentials shall live, in whole seconds; the token server decides if it is
   * not given.
   */
  readonly tokenSeconds?: number;
}

export interface StorageToken {
  /** Hawk credentials. */
  readonly id: string;
  readonly key: string;
  /** The user's place on a storage node: an absolute URL without a slash at its end. */
  readonly endpoint: string;
  /** The server's time minus the device's. */
  readonly aheadMs: number;
}

/**
 * Asks for credentials, with a new access token if the first one is refused.
 * Errors: `unauthorized`, `keyMismatch`, `unavailable`, `badResponse`, `serviceGone`, those of the
 * network and of the account manager.
 */
export async function requestStorageToken(options: StorageOptions): Promise<StorageToken> {
  const { clock } = options.platform;
  const http = createHttp({
    ...options,
    noted: NOTED,
    authorize: (fresh) => authorization(options, fresh),
    judge: (answered) => (answered.status === 200 ? null : refusal(answered)),
  });
  const url = tokenUrl(options.config.remote as Sync15Config);
  const answer = await http.send({ method: 'GET', url });
  const nowMs = clock.nowMs();
  const aheadMs = (headerMs(answer.headers, 'x-timestamp') ?? nowMs) - nowMs;
  const body = parseDocument(await readDocument(() => answer.read(), ANSWER_CHARS_MAX));
  const text = (name: string, form: RegExp): string => {
    const value = member(body, name);
    if (typeof value === 'string' && form.test(value)) return value;
    throw badResponse(`token server: ${name} is missing or cannot be used`);
  };
  // From a server that is reached encrypted, the way leads to no other.
  const endpoint = text('api_endpoint', url.startsWith('https:') ? SECURE_URL : PLAIN_URL);
  return {
    id: text('id', HEADER_TEXT),
    key: text('key', /./),
    endpoint: endpoint.replace(/\/+$/, ''),
    aheadMs,
  };
}

const ANSWER_CHARS_MAX = 16_384;
const ERRORS_SHOWN_MAX = 3;
const HEADER_TEXT = /^[!#-~]{1,4096}$/;
/** Host and path in ASCII, and nothing of a user, a query or a fragment. */
const SECURE_URL = /^https:\/\/[\w.:[\]-]+(\/[!"$->@-~]*)?$/;
const PLAIN_URL = /^https?:\/\/[\w.:[\]-]+(\/[!"$->@-~]*)?$/;
const API_PATH = '/1.0/sync/1.5';

function tokenUrl({ serverUrl, tokenSeconds = 0 }: Sync15Config): string {
  const url = serverUrl.endsWith(API_PATH) ? serverUrl : serverUrl + API_PATH;
  const isAsked = Number.isSafeInteger(tokenSeconds) && tokenSeconds > 0;
  return isAsked ? `${url}?duration=${tokenSeconds}` : url;
}

async function authorization(options: StorageOptions, fresh: boolean): Promise<Header[]> {
  const { identity } = options.platform;
  const { token, keysChangedAtMs } = await identity.accessToken(fresh);
  const key = await identity.syncKey();
  const keyId = 'kid' in key ? key.kid : keyIdOf(options.keyName, keysChangedAtMs);
  return [
    ['Authorization', `Bearer ${token}`],
    ['X-KeyID', keyId],
  ];
}

function keyIdOf(clientState: string, keysChangedAtMs: number | undefined): string {
  if (keysChangedAtMs === undefined) {
    throw new SyncError('deviceFailed', 'accessToken: beside kB, keysChangedAtMs is needed');
  }
  return `${keysChangedAtMs}-${encodeBase64(decodeHex(clientState) ?? new Uint8Array(0), 'url')}`;
}

/** What a refusal means for the user, by its word and else by its status. */
const REFUSALS = new Map<unknown, readonly [SyncErrorCode, string]>([
  ['invalid-credentials', ['unauthorized', 'the sign-in is not accepted']],
  ['invalid-generation', ['unauthorized', 'the sign-in is older than the password']],
  ['invalid-timestamp', ['unavailable', 'the sign-in is not of this time']],
  ['invalid-client-state', ['keyMismatch', "the key is not the account's any more"]],
  ['invalid-keysChangedAt', ['keyMismatch', "the key is older than the account's"]],
  ['invalid-key-id', ['keyMismatch', "the key's id is not understood"]],
  ['new-users-disabled', ['unauthorized', 'the server takes no new users']],
  [404, ['badResponse', 'there is no token server for Sync 1.5 at this address']],
]);

async function refusal(answered: Answer): Promise<SyncError> {
  const body = await bodyOf(answered);
  const words = wordsOf(body);
  const plain = unexpected(answered, 'token server');
  const reason = member(body, 'status');
  const [code, meaning] = REFUSALS.get(reason) ??
    REFUSALS.get(answered.status) ?? [plain.code, plain.message];
  return new SyncError(code, words === '' ? meaning : `${meaning} (${words})`, {
    ...plain.detail,
    ...(typeof reason === 'string' && REFUSALS.has(reason) && { reason }),
  });
}

async function bodyOf(answered: Answer): Promise<unknown> {
  try {
    return parseDocument(await readDocument(() => answered.read(), ANSWER_CHARS_MAX));
  } catch (error) {
    answered.cancel();
    if (!(error instanceof SyncError)) throw error;
    return null;
  }
}

function wordsOf(body: unknown): string {
  const errors = member(body, 'errors');
  const texts = [member(body, 'status')];
  for (const error of Array.isArray(errors) ? errors.slice(0, ERRORS_SHOWN_MAX) : []) {
    texts.push(member(error, 'name'), member(error, 'description'));
  }
  return shownWords(texts.filter((text) => typeof text === 'string').join(' '));
}
