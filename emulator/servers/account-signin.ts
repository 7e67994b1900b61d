// Signing in with a password (onepw, version 1) and what a password guards: the key, another
// password, the end of an account. Every step is for one token, and a token for one step.

import { createHash } from 'node:crypto';
import { type Account, type Call, keyOf, problem, textOf } from './account-call.ts';
import type { AccountList } from './account-list.ts';
import type { AccountTokens } from './account-tokens.ts';
import { sealKeyBundle } from './onepw.ts';

interface SignInOptions {
  readonly accounts: AccountList;
  readonly tokens: AccountTokens;
  nowMs(): number;
  /** Every session and grant of an account ends. */
  endSessions(account: Account): void;
  /** Whether anybody may make an account. */
  readonly signUp: boolean;
}

/** The handlers by method and path. */
export function signInRoutes(options: SignInOptions): [string, (call: Call) => unknown][] {
  return [
    ['POST v1/account/create', (call) => create(call, options)],
    ['POST v1/account/login', (call) => login(call, options)],
    ['GET v1/account/keys', (call) => keys(call, options)],
    ['POST v1/account/destroy', (call) => destroy(call, options)],
    ['POST v1/password/change/start', (call) => startChange(call, options)],
    ['POST v1/password/change/finish', (call) => finishChange(call, options)],
    ['POST v1/account/credentials/status', (call) => credentials(call, options)],
  ];
}

/** Nobody is written a mail, so that an account is verified when it is made. */
async function create({ body, url }: Call, options: SignInOptions): Promise<object> {
  if (!options.signUp) throw problem(503, 202, 'Feature not enabled');
  refuseVersion2(body);
  const [email, authPW] = [textOf(body, 'email'), keyOf(body, 'authPW')];
  const account = await options.accounts.create(email, authPW);
  return session(account, url, options);
}

async function login({ body, url }: Call, options: SignInOptions): Promise<object> {
  const account = options.accounts.byEmail(textOf(body, 'email'));
  await options.accounts.prove(account, textOf(body, 'authPW'));
  return session(account, url, options);
}

function session(account: Account, url: URL, { tokens, nowMs }: SignInOptions): object {
  const { uid } = account;
  const sessionToken = tokens.issue('sessionToken', account);
  const authAt = Math.floor(nowMs() / 1000);
  const answer = { uid, sessionToken, verified: true, authAt };
  if (url.searchParams.get('keys') !== 'true') return answer;
  return { ...answer, keyFetchToken: tokens.issue('keyFetchToken', account) };
}

/** A key fetch token is good for one answer. */
function keys(call: Call, { tokens }: SignInOptions): object {
  const { id, account, bundleKey } = tokens.prove(call, 'keyFetchToken');
  tokens.end(id);
  const kA = createHash('sha256').update(`kA ${account.uid}`).digest();
  const bundle = sealKeyBundle(bundleKey, Buffer.concat([kA, Buffer.from(account.wrapKb, 'hex')]));
  return { bundle: bundle.toString('hex') };
}

async function destroy(
  call: Call,
  { accounts, tokens, endSessions }: SignInOptions,
): Promise<object> {
  const { account } = tokens.prove(call, 'sessionToken');
  accounts.checkEmail(account, textOf(call.body, 'email'));
  await accounts.prove(account, textOf(call.body, 'authPW'));
  endSessions(account);
  accounts.remove(account);
  return {};
}

async function startChange(call: Call, { accounts, tokens }: SignInOptions): Promise<object> {
  const { account } = tokens.prove(call, 'sessionToken');
  accounts.checkEmail(account, textOf(call.body, 'email'));
  await accounts.prove(account, textOf(call.body, 'oldAuthPW'));
  return {
    keyFetchToken: tokens.issue('keyFetchToken', account),
    passwordChangeToken: tokens.issue('passwordChangeToken', account),
    verified: true,
  };
}

/** Every session ends, and the one that asked goes on as a new one. */
async function finishChange(call: Call, options: SignInOptions): Promise<object> {
  const { id, account } = options.tokens.prove(call, 'passwordChangeToken');
  refuseVersion2(call.body);
  const [authPW, wrapKb] = [keyOf(call.body, 'authPW'), keyOf(call.body, 'wrapKb')];
  options.tokens.end(id);
  options.endSessions(account);
  await options.accounts.change(account, authPW, wrapKb);
  // Who signed in meanwhile did so with the old one.
  options.endSessions(account);
  return session(account, call.url, options);
}

function credentials({ body }: Call, { accounts }: SignInOptions): object {
  accounts.byEmail(textOf(body, 'email'));
  return { upgradeNeeded: false, currentVersion: 'v1' };
}

/** Half of what it needs would be lost here, and its user locked out. Errors: HttpError 400. */
function refuseVersion2(body: Call['body']): void {
  const member = Object.keys(body).find((name) => name.endsWith('Version2'));
  if (member !== undefined) throw problem(400, 107, `Invalid parameter in request body: ${member}`);
}
