// BRIDGE.md is what a device is written from: its tables say what the code does, neither less nor
// more.

import { beforeAll, describe, expect, test } from 'vitest';
import { type BulkCrypto, bulkCrypto } from '../../crypto/bulk.ts';
import { Store } from '../../emulator/servers/store.ts';
import { codesIn, tableOf, textOf, wordsOf } from '../../test/docs/markdown.ts';
import { type TestDevice, testServers, userOf } from '../../test/support/device.ts';
import { fullDevice } from '../../test/support/everything.ts';
import type { Algorithm, TextAlgorithm } from '../crypto-port.ts';
import { nodeDeviceCrypto } from '../node/crypto.ts';
import { APP_COMMANDS } from './app-commands.ts';
import { COMMANDS, commandOf, KINDS } from './commands.ts';
import { computingOf } from './computing.ts';
import { CONFLICTS } from './conflict-commands.ts';
import { createHostPlatform } from './host.ts';
import { INSTALLED_COMMANDS } from './installed-commands.ts';
import { unpack } from './values.ts';

const ALL = new Map([...COMMANDS, ...CONFLICTS, ...APP_COMMANDS, ...INSTALLED_COMMANDS]);
const BRIDGE = textOf('platform/quickjs/BRIDGE.md');
const commands = tableOf(BRIDGE, 'command');
const operations = tableOf(BRIDGE, 'op');
const errors = tableOf(BRIDGE, 'error');
const wordsIn = (cell = ''): string[] => codesIn(cell).sort();

describe('the table of commands', () => {
  test('has every command, and no other', () => {
    expect(commands.flatMap(([name]) => codesIn(name ?? '')).sort()).toEqual(
      [...ALL.keys()].sort(),
    );
  });

  test.each([...ALL])('says what %s needs, and of which kind', (name, [, needed]) => {
    const members = needed?.split(' ') ?? [];
    const cells = members.map((member) => `\`${member}\` ${KINDS.get(member) ?? 'string'}`);
    expect(commands.find(([cell]) => cell === `\`${name}\``)?.[1]).toBe(cells.join(', '));
  });

  describe('says which members a reply has', () => {
    let device: TestDevice;
    const record = {
      url: 'https://a.example/',
      visits: [{ date: 1_795_323_276_914_594, type: 1 }],
    };
    const page = {
      collection: 'history',
      id: 'AAAAAAAAAAAA',
      record: { id: 'AAAAAAAAAAAA', ...record },
    };

    beforeAll(async () => {
      const servers = testServers({ kB: 'ab'.repeat(32), store: new Store() });
      device = await fullDevice(servers, { identity: userOf(servers) });
    });

    test.each([
      'status',
      'enable',
      'initialize',
      'sync',
      'devices',
      'configure',
      'observe',
      'connection',
      'put',
      'get',
      'list',
      'delete',
      'cancel',
      'disable',
    ])('%s', async (name) => {
      const text = JSON.stringify({ ...page, limit: 1, on: true, confirm: true });
      const reply = (await commandOf(name, text)(device.agent)) ?? {};
      const shape = commands.find(([cell]) => cell === `\`${name}\``)?.[3] ?? '';
      expect(`\`{${Object.keys(reply).sort().join(', ')}}\``).toBe(
        shape.replace(/\w[\w, ]*/, (names) => names.split(', ').sort().join(', ')),
      );
    });
  });
});

describe('the table of operations', () => {
  const files = ['host', 'computing', 'credentials', 'pieces', 'system-apps', 'entry'].map(
    (name) => `platform/quickjs/${name}.ts`,
  );
  const source = files.map(textOf).join('');
  const calls = new Map(
    [...source.matchAll(/\b(ask|json|call|host)\('(\w+)'/g)].map(([, how, op]) => [op, how]),
  );

  test('has every operation that the agent asks for, and no other', () => {
    expect(operations.flatMap(([op]) => codesIn(op ?? '')).sort()).toEqual(
      [...calls.keys()].sort(),
    );
  });

  test('says which are answered later', () => {
    for (const [ops = '', kind = ''] of operations) {
      for (const op of codesIn(ops)) {
        expect([op, /^answers\b/.test(kind)]).toEqual([
          op,
          /^(ask|json)$/.test(calls.get(op) ?? ''),
        ]);
      }
    }
  });
});

describe('the table of what is computed', () => {
  const rows = tableOf(BRIDGE, 'compute');

  test('has every algorithm of the port, and no other', () => {
    const words = wordsOf('platform/crypto-port.ts', 'Algorithm').map(({ word }) => word);
    expect(rows.flatMap(([name]) => codesIn(name ?? ''))).toEqual(words);
  });

  test('says which pieces an item has, and how long they and the answer are', async () => {
    const { asked, bulk } = computing();
    const text = new Uint8Array(40);
    const key = new Uint8Array(32);
    const [cbc, gcm] = [new Uint8Array(16), new Uint8Array(12)];
    await bulk.sha256([text]);
    await bulk.hmac(key, [text]);
    const [blocks = text] = await bulk.encrypt('cbc', key, [{ iv: cbc, bytes: text }]);
    await bulk.decrypt('cbc', key, [{ iv: cbc, bytes: blocks }]);
    const [sealed = text] = await bulk.encrypt('gcm', key, [{ iv: gcm, bytes: text }]);
    await bulk.decrypt('gcm', key, [{ iv: gcm, bytes: sealed }]);
    const said = rows.map(([name, ofKey = '', pieces = '', answer = '']) => [
      codesIn(name ?? '')[0],
      ofKey === 'empty' ? 0 : 32,
      ...pieces.split(', ').map((piece) => Number(/\d+$/.exec(piece)?.[0] ?? lengthOf(piece))),
      ...[answer].map((piece) => Number(/^\d+/.exec(piece)?.[0] ?? lengthOf(piece))),
    ]);
    expect(asked).toEqual(said);
  });

  /** Of a text of 40 bytes. */
  function lengthOf(piece: string): number {
    const lengths = { bytes: 40, 'whole blocks': 48, 'additional data': 0 };
    const sealed = { 'bytes and tag': 56, 'as many bytes, 16 of tag': 56 };
    return new Map(Object.entries({ ...lengths, ...sealed })).get(piece) ?? Number.NaN;
  }
});

describe('the table of what is computed from texts', () => {
  const rows = tableOf(BRIDGE, 'texts');

  test('has every algorithm of the port, and no other', () => {
    const words = wordsOf('platform/crypto-port.ts', 'TextAlgorithm').map(({ word }) => word);
    expect(rows.flatMap(([name]) => codesIn(name ?? ''))).toEqual(words);
  });

  test('says which texts an item has, and which refusals there are', async () => {
    const device = nodeDeviceCrypto();
    const key = new Uint8Array(32);
    const given = new Map([
      ['text', 'text'],
      ['what `hmac` may have answered', 'A'.repeat(43)],
      ['head', 'A'.repeat(18)],
      ['additional data', 'beside'],
      ['sealed', 'A'.repeat(39)],
    ]);
    for (const [name = '', , texts = '', answer = ''] of rows) {
      const algorithm = codesIn(name)[0] as TextAlgorithm;
      const item = texts.split(', ').map((text) => given.get(text) ?? '');
      expect(item).not.toContain('');
      const asked = async (pieces: readonly string[]) =>
        (await device.computeTexts?.(algorithm, key, [pieces]))?.[0];
      const at = item.length - 2 > 0 ? item.length - 1 : 0;
      const [wrong, half] = [await asked(item), await asked(item.with(at, '\ud800'))];
      if (/`badMac`/.test(answer)) expect(wrong).toEqual({ code: 'badMac' });
      else expect(wrong).toHaveProperty('text');
      expect(half).toEqual({ code: 'badUtf8' });
    }
    expect(BRIDGE).toContain('`badBase64` (`-1`)');
    expect(BRIDGE).toContain('`badMac` (`-3`)');
    expect(BRIDGE).toContain('`badUtf8` (`-5`)');
  });
});

/** The agent's side of `compute`: what crosses the bridge, as lengths, and the answer's. */
function computing(): { asked: (string | number)[][]; bulk: BulkCrypto } {
  const asked: (string | number)[][] = [];
  const device = nodeDeviceCrypto();
  const { platform, deliver } = createHostPlatform(
    (op, id, head, text, bytes) => {
      const lengths = (JSON.parse(head) as number[]).map((number) => -2 - number);
      const values = unpack(JSON.parse(head), '', new Uint8Array(bytes ?? new ArrayBuffer(0)));
      const [key, ...item] = values as Uint8Array[];
      expect(op).toBe('compute');
      void device
        .compute?.(text as Algorithm, key ?? new Uint8Array(0), [item])
        .then(([answer]) => {
          if (!answer) throw new Error('it was refused');
          asked.push([text, ...lengths, answer.length]);
          const { buffer } = Uint8Array.from(answer);
          deliver(id, '', JSON.stringify([-2 - answer.length]), '', buffer);
        });
      return undefined;
    },
    true,
    undefined,
    undefined,
    undefined,
    computingOf,
  );
  return { asked, bulk: bulkCrypto(platform.crypto, async () => undefined) };
}

describe('the errors', () => {
  test('of an operation are the codes of a port', () => {
    const types = ['PortErrorCode', 'AppsErrorCode'];
    const words = types.flatMap((type) => wordsOf('platform/ports.ts', type));
    const codes = [...new Set(words.map(({ word }) => word))];
    expect(errors.flatMap(([code]) => codesIn(code ?? ''))).toEqual(codes);
    const known = operations.flatMap(([op]) => codesIn(op ?? ''));
    for (const op of errors.flatMap(([, of]) => wordsIn(of))) expect(known).toContain(op);
  });

  test('of a command are the codes of the agent', () => {
    const [, list = ''] = /and more as its text\. Codes:([^.]*)\./.exec(BRIDGE) ?? [];
    const codes = wordsOf('agent/errors.ts', 'SyncErrorCode').map(({ word }) => word);
    expect(codesIn(list)).toEqual(codes);
  });
});
