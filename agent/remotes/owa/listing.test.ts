// The entries of a document as records: what can be read is, and what cannot stays where it is.

import { expect, it } from 'vitest';
import { owaBench } from '../../../test/support/owa/service.ts';

const text = (length: number): string => 'é'.repeat(length / 2);

it('an entry that is too long, or has too long a name, is set aside and stays there', async () => {
  const { bench, server } = owaBench();
  const frame = '{"last_modified":5,"text":""}'.length;
  const fits = { last_modified: 5, text: `${text(65_536 - frame - 1)}x` };
  const long = { last_modified: 5, text: `${text(65_536 - frame - 1)}xy` };
  const name = (chars: number): string => `https://${'n'.repeat(chars - 8)}`;
  const document = {
    ...{ 'https://fits.test': fits, 'https://long.test': long },
    ...{ [name(2_048)]: { last_modified: 6 }, [name(2_049)]: { last_modified: 6 } },
    'https://deep.test': JSON.parse(`{"last_modified":6,"a":${'['.repeat(60)}${']'.repeat(60)}}`),
  };
  server.replace(document);
  const device = await bench.synced(0);
  const held = await bench.held(device);
  expect([...held.keys()].sort()).toEqual(
    ['https://fits.test', name(2_048), 'https://deep.test'].sort(),
  );
  expect(bench.statusOf(device).quarantined).toBe(2);
  await bench.put(device, 0, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(server.document()).toMatchObject(document);
  expect(server.document()).toHaveProperty([bench.service.id(0), 'text'], 'ours');
});

it('of a name that is there twice the last entry counts', async () => {
  const { bench, server } = owaBench();
  const entry = (said: string): string => `"https://a.test":{"last_modified":5,"text":"${said}"}`;
  server.replace(`{${entry('first')},"https://b.test":{"last_modified":5},${entry('last')}}`);
  const device = await bench.synced(0);
  const held = await bench.held(device);
  expect(held.get('https://a.test')).toEqual({ text: 'last' });
  expect(held.size).toBe(2);
  await bench.put(device, 0, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  expect(server.document()['https://a.test']).toMatchObject({ text: 'last' });
});

it('names that objects have of themselves are names', async () => {
  const { bench, server } = owaBench();
  const names = ['__proto__', 'constructor', 'toString', 'length'];
  const members = names.map((name) => `"${name}":{"last_modified":5,"text":"x"}`);
  server.replace(`{${members.join()}}`);
  const device = await bench.synced(0);
  expect([...(await bench.held(device)).keys()].sort()).toEqual([...names].sort());
  await bench.put(device, 0, { text: 'ours' });
  expect(await device.agent.sync()).toMatchObject({ ok: true });
  for (const member of members) expect(server.text()).toContain(member);
});
