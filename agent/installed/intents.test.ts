// The power goes between the system's install and the note of it, and the user removes the app
// before any pass has been at the collection again.

import { expect, it } from 'vitest';
import { MemoryApps } from '../../platform/memory/apps.ts';
import { documentService } from '../../test/support/made-up/services.ts';
import {
  bootApps,
  newAppsDevice,
  originsOf,
  person,
  syncApps,
  systemApp,
} from '../../test/support/system-apps.ts';

const A = 'https://a.example';
const CALLS_MAX = 12;

it('what the system has got, and its user removes, is not installed once more', async () => {
  let cuts = 0;
  for (let atCall = 1; atCall < CALLS_MAX; atCall++) {
    const service = documentService();
    const one = await newAppsDevice(service);
    await person(one, A, systemApp('a'));
    await syncApps(service, one);
    const system = new MemoryApps().fork({ atCall, when: 'after' });
    const doomed = bootApps(service, { system });
    await doomed.agent.start();
    await doomed.agent.enable();
    await doomed.agent.appsSettled?.();
    if (system.calls < atCall) break;
    if (!system.snapshot().has(A)) continue;
    cuts++;
    const next = bootApps(service, { storage: doomed.storage.fork(), system: system.fork() });
    await next.agent.start();
    await next.agent.appsSettled?.();
    await person(next, A, null);
    await syncApps(service, next, next, one);
    expect([originsOf(next), originsOf(one)], `cut at call ${atCall}`).toEqual([[], []]);
    expect(next.system.did.filter((line) => line.startsWith('install'))).toEqual([]);
  }
  expect(cuts).toBeGreaterThan(0);
});
