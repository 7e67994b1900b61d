// All suites whose rules are proved.

import { ATOMIC } from './atomic.ts';
import { REMOTE } from './remote.ts';
import type { Suite } from './suite.ts';

export const SUITES: readonly Suite[] = [REMOTE, ATOMIC];
