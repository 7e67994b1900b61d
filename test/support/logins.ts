// A login record.

import type { Body } from '../../agent/collections/collection.ts';

export const NOW_MS = 1_795_323_276_914;
export const ID = '{2c34872a-f957-454c-a5af-ac641fed1a21}';

export function login(more: object = {}): Body {
  return {
    id: ID,
    hostname: 'https://accounts.example.com',
    formSubmitURL: 'https://accounts.example.com',
    httpRealm: null,
    username: 'alice',
    password: 'old',
    usernameField: 'email',
    passwordField: '',
    timeCreated: NOW_MS - 9_000_000,
    timePasswordChanged: NOW_MS - 9_000_000,
    ...more,
  };
}
