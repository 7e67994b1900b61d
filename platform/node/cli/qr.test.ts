import { expect, test } from 'vitest';
import { recoveryCode } from '../../../crypto/recovery.ts';
import { readQr } from '../../../test/support/qr.ts';
import { qrLines } from './qr.ts';

test('a camera reads the text, in capitals that take the least room', () => {
  for (let start = 0; start < 256; start += 15) {
    const bytes = Uint8Array.from({ length: 16 }, (_, at) => (start + 37 * at) & 255);
    const text = recoveryCode(bytes).toUpperCase();
    expect(readQr(qrLines(text, 37) ?? '')).toBe(text);
  }
});

test('a screen that is too narrow for it shows none, and others leave their colours alone', () => {
  const text = recoveryCode(new Uint8Array(16)).toUpperCase();
  expect(qrLines(text, 36)).toBeNull();
  const lines = qrLines(text, 37)?.split('\n') ?? [];
  expect(lines).toHaveLength(20);
  const [start = '', end = ''] = lines[0]?.split(/[\u2580-\u2588 ]+/) ?? [];
  for (const line of lines.slice(0, -1)) {
    expect([line.startsWith(start), line.endsWith(end)]).toEqual([true, true]);
    expect(line).toHaveLength(start.length + 37 + end.length);
  }
  expect([end, lines.at(-1)]).toEqual(['\u001b[0m', '']);
});
