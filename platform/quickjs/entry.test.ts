// The commands that a device gives across the bridge, as far as they need no server: a store that
// is empty.

import { expect, test, vi } from 'vitest';
import { boot } from './entry.ts';

const CONFIG = {
  profile: 'test',
  remote: { protocol: 'sync15', serverUrl: 'https://token.test', audience: '', auth: 'bearer' },
  collections: {},
  intervalMs: 1,
  wifiOnly: false,
  historyRecordsMax: 1,
  recordCharsMax: 1,
  crypto: 'software',
};

// With the collection that `storage` is kept in.
vi.mock('./contents.ts', async (importOriginal) => {
  const { contents, ...rest } = await importOriginal<typeof import('./contents.ts')>();
  const { extensionStorage } = await import('../../agent/index.ts');
  return {
    ...rest,
    contents: { ...contents, collections: [...contents.collections, extensionStorage] },
  };
});

async function reply(name: string, text: string): Promise<[error: string, json: unknown]> {
  return new Promise((resolve) => {
    const booted = boot((op, id, head, body) => {
      if (op === 'config') return JSON.stringify(CONFIG);
      if (op === 'now') return 0;
      // The one value that is asked for is not there.
      if (op === 'get') setImmediate(() => booted.deliver(id, '', '[-1]', '', null));
      if (op === 'reply') resolve([head, JSON.parse(body)]);
      return undefined;
    }, {});
    booted.command(1, name, text);
  });
}

test.each([
  ['initialize', '{}', 'badInput', 'confirm'],
  ['initialize', '{"confirm":"yes"}', 'badInput', 'confirm'],
  ['initialize', '{"confirm":true}', 'disabled', 'signed in'],
  ['devices', '', 'disabled', 'signed in'],
  ['storage', '{"extId":"a","call":"get"}', 'disabled', 'signed in'],
  ['storage', '{"extId":"a","call":"set","items":{}}', 'disabled', 'signed in'],
  ['storage', '{"extId":"a","call":"toString"}', 'badInput', 'call: there is no toString'],
  ['nothing', '', 'badInput', 'there is no nothing'],
  ['put', 'null', 'badInput', 'put: no JSON object'],
  ['observe', 'null', 'badInput', 'observe: no JSON object'],
  ['configure', '{"collections":{"history":null}}', 'badInput', 'collections.history'],
])('%s %s is answered with %s', async (name, text, code, message) => {
  const [error, json] = await reply(name, text);
  expect(error).toBe(code);
  expect(json).toMatchObject({ code, message: expect.stringContaining(message) });
});
