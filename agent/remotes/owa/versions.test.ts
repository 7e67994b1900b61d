// Two versions of an app, the device's and the document's: which of them stays, and what goes up.
// The server looks into nothing, so that the document is what the device has sent.

import { describe, expect, it } from 'vitest';
import { type AppsDevice, AppsUser } from '../../../test/support/installed-apps.ts';
import type { DocumentService } from '../../../test/support/made-up/services.ts';
import { owaService } from '../../../test/support/owa/service.ts';
import type { Body } from '../../../test/support/service.ts';

const A = 'https://a.example';
const B = 'https://b.example';
const ours = { manifest: { name: 'ours' }, install_time: 5 };
const live = (last_modified: number, name = 'theirs'): Body => ({
  ...{ last_modified, manifest: { name }, install_time: 5 },
});
const grave = (last_modified: number): Body => ({ deleted: true, last_modified });

/** What the document has under that name. */
function sent({ service }: AppsUser<DocumentService>, id = A): Body {
  return JSON.parse(`${service.raw(id)}`);
}

/** A device whose app is in the document, and its stamp there. */
async function agreed(): Promise<{
  user: AppsUser<DocumentService>;
  device: AppsDevice;
  stamp: number;
}> {
  const user = new AppsUser(owaService());
  const device = await user.device();
  await user.put(device, A, ours);
  await user.sync(device);
  return { user, device, stamp: Number(sent(user).last_modified) };
}

/** A device that has agreed on its app, and then met that in its place. */
async function met(theirs: (stamp: number) => Body) {
  const { user, device, stamp } = await agreed();
  await user.service.put(A, theirs(stamp));
  await user.sync(device);
  return { user, device, stamp, app: await user.get(device, A) };
}

describe('names', () => {
  it('O2, O3: go up without a slash, and with a port that is not the usual one', async () => {
    const user = new AppsUser(owaService());
    const device = await user.device();
    for (const id of ['https://a.example/', 'http://a.example:8080/', 'http://a.example:443']) {
      await user.put(device, id, ours);
    }
    await user.sync(device);
    expect([...(await user.service.wireIds())].sort()).toEqual([
      ...['http://a.example:443', 'http://a.example:8080', 'https://a.example'],
    ]);
  });

  it('O4, O5: that have a usual port or a slash are no apps, and go up again', async () => {
    const { user, device } = await agreed();
    const names = ['http://b.example:80', 'https://b.example:443', `${B}/`, `${A}/`];
    for (const id of names) await user.service.put(id, live(7, id));
    await user.put(device, A, { note: 1 });
    await user.sync(device);
    expect(await user.list(device)).toMatchObject([{ guid: A, note: 1 }]);
    expect(sent(user)).toMatchObject({ note: 1 });
    for (const id of names) expect(sent(user, id)).toEqual(live(7, id));
  });
});

describe('an app', () => {
  it('O15: that has no stamp gets one, and has the same whenever it goes up', async () => {
    const { user, device, stamp } = await agreed();
    expect(stamp).toBeGreaterThan(1.7e9);
    await user.service.drop(A);
    await user.sync(device);
    expect(sent(user)).toEqual({ ...ours, last_modified: stamp });
  });

  it('O19: is as the document has it where that is newer', async () => {
    const { user, app, stamp } = await met((at) => live(at + 1));
    expect(app).toMatchObject(live(stamp + 1));
    expect(sent(user)).toEqual(live(stamp + 1));
  });

  it('O19: stays and goes up where the document’s is older', async () => {
    const { user, app, stamp } = await met((at) => live(at - 1));
    expect(app).toMatchObject({ ...ours, last_modified: stamp });
    expect(sent(user)).toEqual({ ...ours, last_modified: stamp });
  });

  it('O22: goes where it was deleted at the same time', async () => {
    const { user, app, stamp } = await met(grave);
    expect(app).toBeNull();
    expect(sent(user)).toEqual(grave(stamp));
  });

  it('O23: stays and goes up where it was deleted before', async () => {
    const { user, app, stamp } = await met((at) => grave(at - 1));
    expect(app).toMatchObject({ ...ours, last_modified: stamp });
    expect(sent(user)).toEqual({ ...ours, last_modified: stamp });
  });

  it('O28: of two at the same time is the same on all, whichever came first', async () => {
    const ends: Body[] = [];
    for (const [first, second] of [
      ['x', 'y'],
      ['y', 'x'],
    ]) {
      const user = new AppsUser(owaService());
      await user.service.put(A, live(7, first));
      const one = await user.device();
      await user.service.put(A, live(7, second));
      const other = await user.device();
      expect(await user.get(one, A)).toMatchObject(live(7, first));
      expect(await user.get(other, A)).toMatchObject(live(7, second));
      await user.sync(one, other, one);
      expect(await user.list(other)).toEqual(await user.list(one));
      expect(await user.get(one, A)).toMatchObject(sent(user));
      ends.push(sent(user));
    }
    expect(ends[1]).toEqual(ends[0]);
  });
});

describe('a deletion', () => {
  it('O16: is in the document, and again after the document has lost it', async () => {
    const { user, device, stamp } = await agreed();
    await user.delete(device, A);
    await user.sync(device);
    const deleted = sent(user);
    expect(deleted).toEqual(grave(Number(deleted.last_modified)));
    expect(deleted.last_modified).toBeGreaterThan(stamp);
    await user.service.drop(A);
    await user.sync(device);
    expect(sent(user)).toEqual(deleted);
  });

  it('O24: of an app that never was here is remembered, and goes up', async () => {
    const { user, device } = await agreed();
    await user.service.put(B, grave(7));
    await user.sync(device);
    await user.service.drop(B);
    await user.put(device, A, { note: 1 });
    await user.sync(device);
    expect(sent(user, B)).toEqual(grave(7));
    expect(await user.list(device)).toMatchObject([{ guid: A }]);
  });

  it('O25: stands before an app that is older', async () => {
    const { user, device } = await agreed();
    await user.delete(device, A);
    await user.sync(device);
    const deleted = sent(user);
    await user.service.put(A, live(Number(deleted.last_modified) - 1));
    await user.sync(device);
    expect(await user.list(device)).toEqual([]);
    expect(sent(user)).toEqual(deleted);
  });
});
