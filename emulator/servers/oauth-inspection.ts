// What the accounts server tells a service about a token that somebody shows it, and about who
// signed in with it. It says nothing of tokens that are not good.

import { type Account, type Body, problem, textOf } from './account-call.ts';
import type { OAuth } from './oauth.ts';
import { refreshTokenId } from './refresh-tokens.ts';

/** `POST v1/verify`: an access token. Errors: HttpError 400, errno 108. */
export function verifyToken({ access }: OAuth, body: Body): object {
  const claims = access.read(textOf(body, 'token'));
  if (claims === null) throw problem(400, 108, 'Invalid token');
  const { uid: user, clientId: client_id, scope, generation } = claims;
  return { user, client_id, scope: scope.split(' '), generation, profile_changed_at: generation };
}

/** `POST v1/introspect` (RFC 7662): an access or a refresh token. */
export function introspect({ access, refresh }: OAuth, body: Body, issuer: string): object {
  const token = textOf(body, 'token');
  const claims = access.read(token);
  if (claims !== null) {
    return {
      ...{ active: true, token_type: 'access_token', scope: claims.scope, iss: issuer },
      ...{ client_id: claims.clientId, sub: claims.uid, jti: claims.id },
      ...{ iat: claims.issuedAtSeconds * 1000, exp: claims.expiresAtSeconds * 1000 },
    };
  }
  const grant = refresh.get(token);
  if (grant === undefined) return { active: false };
  return {
    ...{ active: true, token_type: 'refresh_token', scope: grant.scope, iss: issuer },
    ...{ client_id: grant.clientId, sub: grant.account.uid, jti: refreshTokenId(token) },
    ...{ iat: grant.createdAtMs, 'fxa-lastUsedAt': grant.usedAtMs },
  };
}

/** `POST v1/destroy`: any token, by whoever has it. Errors: HttpError 400, errno 108. */
export function destroyToken({ access, refresh }: OAuth, body: Body): object {
  const token = textOf(body, 'token');
  if (!access.destroy(token) && !refresh.destroy(token)) throw problem(400, 108, 'Invalid token');
  return {};
}

/** `GET v1/client/ID`: any client is taken, and nothing is known of it but its id. */
export function clientOf(id: string): object {
  if (!/^[0-9a-f]{16}$/.test(id)) throw problem(400, 101, 'Unknown client');
  return { id, name: `client ${id}`, trusted: false, redirect_uri: '', image_uri: '' };
}

/** `GET v1/profile`, with an access token. Errors: HttpError 401, 403. */
export function profileOf(
  { access }: OAuth,
  token: string,
  accountOf: (uid: string) => Account | null,
): object {
  const claims = access.read(token);
  const account = claims === null ? null : accountOf(claims.uid);
  if (claims === null || account === null)
    throw problem(401, 110, 'Invalid authentication token in request signature');
  const allows = (part: string) =>
    claims.scope.split(' ').some((scope) => scope === 'profile' || scope === `profile:${part}`);
  if (!allows('uid') && !allows('email')) throw problem(403, 100, 'Unauthorized');
  const { uid, email } = account;
  return {
    ...(allows('uid') ? { uid, sub: uid } : {}),
    ...(allows('email') ? { email } : {}),
    ...(allows('amr') ? { amrValues: ['pwd', 'email'], twoFactorAuthentication: false } : {}),
    ...(allows('locale') ? { locale: 'en-US' } : {}),
  };
}
