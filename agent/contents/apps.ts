// What a build has of apps' own collections, in one piece: who needs any of it needs most of it.

import { appKind, originOf } from '../collections/app.ts';
import { appSecret, followKey } from '../remotes/app-secret.ts';
import type { Apps } from '../several/app-place.ts';
import { endLeaving, openApp } from '../several/apps.ts';

/** For `Contents.apps`. */
export const apps: Apps = {
  kind: appKind,
  originOf,
  secret: appSecret,
  followKey,
  endLeaving,
  open: openApp,
};
