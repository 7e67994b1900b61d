// The user's web apps as a build holds them: replaced at once where they are read anew, and named
// so that no server learns from the ids of records which apps a user has.

import { installedApps as collection } from '../collections/installed-apps.ts';
import { hidingNames } from '../remotes/inner-names.ts';
import { atomic } from '../sync/replace.ts';

export const installedApps = /* @__PURE__ */ hidingNames(/* @__PURE__ */ atomic(collection));
