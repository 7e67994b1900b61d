import { expect, test } from 'vitest';
import { parsePicl } from './options.ts';

test('what is typed is what is done', () => {
  const args = ['verify', 'passwords', '--file', 'log.json', '--head', '3-abc', '--json'];
  expect(parsePicl(args)).toMatchObject({
    ...{ command: 'verify', collection: 'passwords', file: 'log.json', server: null },
    ...{ earlier: { seqnum: 3, changeid: 'abc' }, json: true, isOpaque: false, isCompacted: false },
  });
  const asked = ['log', 'a', '--server', 'https://s.example/', '--credentials', 'c'];
  expect(parsePicl(asked).server).toBe('https://s.example');
});

test.each([
  ['', 'picl must be followed by verify or log'],
  ['show a', 'picl must be followed by verify or log'],
  ['verify', 'COLLECTION is missing'],
  ['verify a.b --file f', 'COLLECTION must be'],
  ['verify a b --file f', 'one word too many'],
  ['verify a', 'either --server or --file'],
  ['verify a --file f --server https://s.example', 'either --server or --file'],
  ['verify a --server https://s.example', '--credentials is missing'],
  ['verify a --server http://s.example --credentials c', 'not encrypted'],
  ['verify a --server ftp://s --credentials c', '--server must be'],
  ['log a --file f', '--key-file is missing'],
  ['verify a --file f --head 3', '--head must be'],
  ['verify a --file f --colour', "Unknown option '--colour'"],
])('refuses: %s', (line, complaint) => {
  expect(() => parsePicl(line.split(' ').filter((word) => word !== ''))).toThrow(complaint);
});
