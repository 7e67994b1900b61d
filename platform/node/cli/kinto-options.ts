// What a person typed after `kitsync sign-in --kinto`, checked.

import { UsageError } from './complaint.ts';
import { kintoUrl } from './credentials.ts';
import { exclude, flag, needed, text, urlOf } from './typed.ts';

/** A sign-in to a Kinto, whose users have a name there and a key of their own. */
export interface KintoSignInOptions {
  /** Without the version of its API and without a slash at the end. */
  readonly kintoUrl: string;
  /** Null: whoever the token is of. */
  readonly user: string | null;
  /** A token is read in place of a password. */
  readonly isBearer: boolean;
  /** Its first line is the password or the token; null: it is asked for. */
  readonly passwordFile: string | null;
  /** The credentials of an account whose key is taken; null: the key is that of a recovery code. */
  readonly keyFile: string | null;
  /** A code is asked for, whatever key the file has, and whether or not there is data. */
  readonly isCode: boolean;
  /** Begins beside what is there under another key. */
  readonly isNewKey: boolean;
  readonly credentialsFile: string;
  /** As in `SyncOptions`. */
  readonly allowHttp: boolean;
}

export const KINTO_ACCOUNT = {
  kinto: text,
  user: text,
  password: flag,
  bearer: flag,
  'password-file': text,
  code: flag,
  'key-of': text,
  'new-key': flag,
} as const;
/** Those that no other sign-in has. */
export const KINTO_ONLY = ['user', 'bearer', 'password-file', 'code', 'key-of', 'new-key'] as const;

/** Those that a Kinto has no use for. */
const OTHERS = ['accounts', 'client-id', 'redirect', 'email'] as const;

/** Errors: `UsageError`. */
export function kintoOptions(
  values: { readonly [Name in 'allow-http' | 'bearer' | 'code' | 'new-key']: boolean } & {
    readonly [Name in keyof typeof KINTO_ACCOUNT | (typeof OTHERS)[number] | 'credentials']?:
      | string
      | boolean
      | undefined;
  },
): KintoSignInOptions {
  for (const other of ['accounts', 'client-id', 'redirect', 'email'])
    exclude(values, 'kinto', other);
  exclude(values, 'code', 'new-key');
  exclude(values, 'code', 'key-of');
  const given = (name: 'kinto' | 'user' | 'password-file' | 'key-of' | 'credentials') => {
    const value = values[name];
    return typeof value === 'string' ? needed(`--${name}`, value) : null;
  };
  const { bearer: isBearer, code: isCode, 'allow-http': allowHttp } = values;
  // As Kinto writes the user's id.
  const user = given('user')?.replace(/^account:/, '') ?? null;
  if (user === null && !isBearer) throw new UsageError('--user is missing');
  if (user !== null && !/^[^:\p{Cc}]{1,320}$/u.test(user))
    throw new UsageError('--user must be a name without a colon, 1 to 320 characters');
  return {
    kintoUrl: kintoUrl(urlOf('--kinto', given('kinto') ?? '', allowHttp)),
    ...{ user, isBearer, isCode, allowHttp },
    isNewKey: values['new-key'],
    passwordFile: given('password-file'),
    keyFile: given('key-of'),
    credentialsFile: needed('--credentials', given('credentials') ?? ''),
  };
}
