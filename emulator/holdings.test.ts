import { expect, test } from 'vitest';
import type { Device } from './device/device.ts';
import { readHoldings, readPage, readRecords } from './holdings.ts';

/** Answers a list of so many records, as far as it is asked; `asked` has the questions. */
function deviceWith(records: readonly object[]) {
  const asked: object[] = [];
  const device: Pick<Device, 'command'> = {
    async command(name, input) {
      asked.push(input);
      if (name === 'get') return { record: records[0] ?? null };
      const { after = '0', limit } = input as { after?: string; limit: number };
      const end = Number(after) + limit;
      const next = end < records.length ? `${end}` : null;
      return { records: records.slice(Number(after), end), next };
    },
  };
  return { device: device as Device, asked };
}

test('a collection is read to its end, a page at a time', async () => {
  const records = Array.from({ length: 45 }, (_, n) => ({ id: `r${n}` }));
  const { device, asked } = deviceWith(records);
  expect(await readRecords(device, 'notes')).toEqual(records);
  expect(asked).toHaveLength(3);
});

test('of web apps all are read, without what the device has of its own', async () => {
  const { device, asked } = deviceWith([{ guid: 'https://a.example', sync: true, here: {} }]);
  expect(await readRecords(device, 'apps')).toEqual([{ guid: 'https://a.example' }]);
  expect(asked).toMatchObject([{ collection: 'apps', purpose: 'all' }]);
});

test('pages and logins are read as far as the collections are named', async () => {
  const { device } = deviceWith([{ guid: 'x' }]);
  expect(await readHoldings(device, ['history'])).toEqual({ history: [{ guid: 'x' }], logins: [] });
  expect(await readPage(device, 'x')).toEqual({ guid: 'x' });
});
