import { describe, expect, it } from 'vitest';
import { type AppsUnderTest, appsContract } from '../../test/contract/apps.ts';
import { loadProfile } from '../profiles.ts';
import { Flash, PowerCut } from './flash.ts';
import { FlashStorage } from './flash-storage.ts';
import { createRandom } from './random.ts';
import { openSystemApps, type SystemApps } from './system-apps.ts';

const { flash: profile, storageHeapBytes } = loadProfile('panasonic-cx700');
const ORIGIN = 'http://a.example';
const OLD = { manifest: { name: 'old', text: 'x'.repeat(9_000) } };
const NEW = { manifest: { name: 'new', text: 'y'.repeat(9_000) } };

appsContract('the emulated system', () => onFlash(new Flash({ profile, charge() {} })));

async function open(flash: Flash): Promise<SystemApps> {
  const storage = await FlashStorage.open({
    flash,
    quotaBytes: profile.quotaBytes,
    heapBytesMax: storageHeapBytes,
    random: createRandom(1),
    nowMs: () => 0,
  });
  return openSystemApps(storage);
}

async function onFlash(flash: Flash): Promise<AppsUnderTest> {
  const apps = await open(flash);
  return {
    apps,
    person: apps.person,
    told: async () => undefined,
    reopen: () => onFlash(flash.reboot(createRandom(1), 'lost')),
    close: async () => undefined,
  };
}

describe('a power cut of the emulated system', () => {
  it('leaves the app that there was or the one that was installed, at every event', async () => {
    let events = 0;
    const seen = new Set<unknown>();
    for (let cutAt = 1; ; cutAt++) {
      const flash = new Flash({ profile, charge() {} });
      const apps = await open(flash);
      await apps.install(ORIGIN, OLD);
      flash.cutAt = flash.events + cutAt;
      const isCut = await apps.install(ORIGIN, NEW).then(
        () => false,
        (error: unknown) => {
          expect(error).toBeInstanceOf(PowerCut);
          return true;
        },
      );
      for (const fault of ['lost', 'kept'] as const) {
        const after = await open(flash.reboot(createRandom(cutAt), fault));
        const found = (await after.read(ORIGIN))?.manifest.name;
        seen.add(found);
        if (!isCut) expect(found).toBe('new');
        expect(['old', 'new']).toContain(found);
        expect(await after.list('', 9)).toHaveLength(1);
      }
      if (!isCut) break;
      events++;
    }
    expect(events).toBeGreaterThan(1);
    expect(seen).toEqual(new Set(['old', 'new']));
  });
});
