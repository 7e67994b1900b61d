// The contract of remotes before the real server of Open Web Apps: bodies of any kind, and web apps
// with the rules of their own.

import { afterAll } from 'vitest';
import {
  REAL_APPS,
  REAL_OWA,
  realAppsService,
  realOwaService,
} from '../support/owa/real-service.ts';
import { atomicContract } from './atomic.ts';
import { remoteContract, type Tally } from './remote.ts';

const all: Tally = { rules: 0, kept: 0 };
afterAll(() =>
  console.log(`before its real server Open Web Apps keeps ${all.kept} of ${all.rules}`),
);

remoteContract('Open Web Apps, its real server', () => realOwaService(), REAL_OWA, all);
remoteContract('Open Web Apps, web apps', () => realAppsService(), REAL_APPS, all);
atomicContract('Open Web Apps, its real server', () => realOwaService());
atomicContract('Open Web Apps, web apps', () => realAppsService());
